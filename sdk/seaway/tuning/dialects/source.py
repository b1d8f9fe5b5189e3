"""Programs that are read and not run: the calls of a library in them, and the values that stand in the text."""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seaway.errors import InvalidSpec

OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: lambda base, power: float(base) ** power if power < 0 else _power(base, power),
}
LOGARITHMS = ("log", "exp", "sqrt", "log10")
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{
        f"{module}.{name}": getattr(math, name)
        for module in ("math", "numpy")
        for name in ("log", "exp", "sqrt", "log10")
    },
    "range": lambda *ends: list(range(*ends)),
    "list": list,
    "int": int,
    "float": float,
}
MOST = 4096  # of a power, and of values that a range has


class Unreadable(Exception):
    """An expression whose value only running the program would tell."""


def _power(base: Any, power: Any) -> Any:
    if abs(power) > MOST:
        raise Unreadable
    return base**power


@dataclass(frozen=True)
class Program:
    """The text of a Python program."""

    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Raises: InvalidSpec: it is no Python."""
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            raise InvalidSpec(f"It is no Python: {error.msg}, line {error.lineno}.") from error

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """What a name stands for: `tune` for `ray.tune`."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for one in node.names:
                    first = one.name.partition(".")[0]
                    found[one.asname or first] = one.name if one.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        return found

    @cached_property
    def named(self) -> Mapping[str, ast.expr]:
        """What names are assigned; of several times the last."""
        return {
            node.targets[0].id: node.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }

    def called(self, node: ast.AST) -> str:
        """The dotted name of what a call calls, with its module; empty for what is no such call."""
        if not isinstance(node, ast.Call):
            return ""
        first, _, rest = ast.unparse(node.func).partition(".")
        return ".".join(filter(None, (self.modules.get(first, first), rest)))

    def value(self, node: ast.expr, depth: int = 0) -> Any:  # noqa: PLR0911  # one a kind of expression
        """The value of an expression of numbers, texts and names of such.

        Raises:
            Unreadable: only running the program would tell.
        """
        if depth > 50:  # noqa: PLR2004  # names that stand for each other
            raise Unreadable
        deeper = depth + 1
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() if node.id in self.named:
                return self.value(self.named[node.id], deeper)
            case ast.UnaryOp(op=ast.USub()):
                return -self.value(node.operand, deeper)
            case ast.List() | ast.Tuple():
                return [self.value(one, deeper) for one in node.elts]
            case ast.Dict() if all(key is not None for key in node.keys):
                return {
                    self.value(key, deeper): self.value(value, deeper)
                    for key, value in zip(node.keys, node.values, strict=True)
                    if key is not None
                }
            case ast.BinOp() if type(node.op) in OPERATORS:
                return _done(OPERATORS[type(node.op)], self.value(node.left, deeper), self.value(node.right, deeper))
            case ast.Call() if self.called(node) in FUNCTIONS and not node.keywords:
                return _done(FUNCTIONS[self.called(node)], *(self.value(one, deeper) for one in node.args))
        raise Unreadable

    def arguments(self, call: ast.Call, names: tuple[str, ...]) -> dict[str, Any]:
        """Name to value of what a call is given, its positions by `names`.

        Raises:
            Unreadable: a value only running the program would tell.
        """
        given = {name: self.value(one) for name, one in zip(names, call.args, strict=False)}
        return given | {one.arg: self.value(one.value) for one in call.keywords if one.arg}

    def outermost(self, wanted: Callable[[ast.AST], bool]) -> Iterator[ast.expr]:
        """Dicts and calls that hold what is wanted, and are in no other such."""
        holding = {name: value for name, value in self.named.items() if any(map(wanted, ast.walk(value)))}
        used = {
            one.id
            for value in holding.values()
            for one in ast.walk(value)
            if isinstance(one, ast.Name) and one.id in holding
        }
        yield from _outermost(self.tree, wanted, used)


def _outermost(node: ast.AST, wanted: Callable[[ast.AST], bool], used: set[str]) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in used:
        return
    if isinstance(node, ast.expr) and (
        wanted(node) or (isinstance(node, ast.Dict) and any(map(wanted, ast.walk(node))))
    ):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _outermost(child, wanted, used)


def _done(function: Callable[..., Any], *values: Any) -> Any:
    try:
        found = function(*values)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise Unreadable from error
    if isinstance(found, list) and len(found) > MOST:
        raise Unreadable
    return found
