"""A component out of tagged cells: their code as the body of a function, what they use as its arguments.

Nothing is handed between steps but files and plain values: what cells before have made in memory is refused by name.
"""

import ast
import builtins
import keyword
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.notebooks.document import MAGIC, Document, tags

ALWAYS = ("imports", "functions")  # cells that go before, as Kale has it
ARTIFACTS = ("Artifact", "Dataset", "HTML", "Markdown", "Model")
PLAIN = {"bool": bool, "int": int, "float": float, "str": str, "list": list, "dict": dict}
TEMPLATE = '''"""Made of {notebook}, its cells tagged {tag!r}, by `seaway notebook to-component`."""

from kfp import dsl
from seaway.kfp import component


@component
def {name}(
{arguments}){returns}:
    """{told}"""
{body}
'''


@dataclass(frozen=True)
class Wanted:
    """What a component is made of.

    Args:
        tag: Of the cells that are its body, in the notebook's order.
        name: Of the component; by default the tag.
        inputs, outputs: Variable that holds a path to the artifact's type, such as `Dataset`.
        returns: Variable that is its value, and its type; empty for none.
    Raises:
        InvalidSpec: a name is none of Python's, or a type is unknown.
    """

    tag: str
    name: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    returns: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.tag.replace("-", "_"))
        returned = {self.returns[0]: self.returns[1]} if self.returns[0] else {}
        for word in (self.name, *self.inputs, *self.outputs, *returned):
            if not word.isidentifier() or keyword.iskeyword(word):
                raise InvalidSpec(f"{word!r} is no name in Python.")
        for known, given in ((ARTIFACTS, {**self.inputs, **self.outputs}), (tuple(PLAIN), returned)):
            if unknown := [kind for kind in given.values() if kind not in known]:
                raise InvalidSpec(f"{unknown[0]!r} is no type here; there are: {', '.join(known)}.")


def source(document: Document, wanted: Wanted) -> str:
    """The component's file.

    Raises:
        InvalidSpec: no cell has the tag, a line is no Python, or the cells use what others have made.
    """
    cells = list(_cells(document, wanted.tag))
    body = "\n".join(str(cell.source).rstrip() for cell in cells)
    used = _names(body, ast.Load)
    for name in (*wanted.inputs, *wanted.outputs):
        if name not in used:
            raise InvalidSpec(f"The cells tagged {wanted.tag!r} use no {name}; name a variable that holds a path.")
    parameters = {name: value for name, value in document.parameters().items() if name in used}
    paths = [f"{name} = {name}.path" for name in (*wanted.inputs, *wanted.outputs)]
    returned, kind = wanted.returns
    lines = [*paths, body, *([f"return {kind}({returned})"] if returned else [])]
    text = TEMPLATE.format(
        notebook=document.name,
        tag=wanted.tag,
        name=wanted.name,
        arguments="".join(f"    {one},\n" for one in _arguments(wanted, parameters)),
        returns=f" -> {kind}" if returned else "",
        told=_told(document, cells[-1]) or f"The cells tagged {wanted.tag!r}.",
        body=_indented("\n".join(lines)),
    )
    _require_whole(document, wanted, text)
    return text


def _cells(document: Document, tag: str) -> Iterator[Any]:
    """Those of the tag, after imports and functions."""
    found = list(document.code_cells(tag))
    if not found:
        known = sorted({one for cell in document.code_cells() for one in tags(cell)})
        raise InvalidSpec(f"No cell of {document.name} is tagged {tag!r}; its tags are: {', '.join(known) or 'none'}.")
    for cell in [*(cell for one in ALWAYS for cell in document.code_cells(one)), *found]:
        if magic := MAGIC.search(cell.source):
            raise InvalidSpec(f"`{magic[0].strip()}` is a line of IPython, which a component cannot run; leave it out.")
        yield cell


def _arguments(wanted: Wanted, parameters: Mapping[str, ast.expr]) -> Iterator[str]:
    yield from (f"{name}: dsl.Input[dsl.{kind}]" for name, kind in wanted.inputs.items())
    yield from (f"{name}: dsl.Output[dsl.{kind}]" for name, kind in wanted.outputs.items())
    for name, value in parameters.items():
        if name in wanted.inputs or name in wanted.outputs:
            continue
        try:
            default = ast.literal_eval(value)
        except (ValueError, TypeError) as error:
            raise InvalidSpec(f"The default of {name} is no plain value: {ast.unparse(value)}.") from error
        if type(default).__name__ not in PLAIN:
            raise InvalidSpec(f"The default of {name}, {default!r}, is none of {', '.join(PLAIN)}.")
        yield f"{name}: {type(default).__name__} = {default!r}"


def _told(document: Document, last: Any) -> str:
    """The first line of the text above the cells, as far as a docstring takes it."""
    text = ""
    for cell in document.node.cells:
        if cell is last:
            break
        if cell.cell_type == "markdown" and cell.source.strip():
            text = cell.source.strip().splitlines()[0].lstrip("# ").strip()
    return text.replace("\\", "").replace('"', "'")


def _indented(text: str) -> str:
    """Each line four further in, but for those inside a text of several lines."""
    inside = {
        line
        for node in ast.walk(_parsed(text))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for line in range(node.lineno + 1, (node.end_lineno or node.lineno) + 1)
    }
    lines = enumerate(text.splitlines(), 1)
    return "\n".join(line if number in inside or not line.strip() else f"    {line}" for number, line in lines)


def _parsed(text: str) -> ast.Module:
    """What will be the body of a function, where alone `return` may stand."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise InvalidSpec(f"The cells are no Python: {error.msg}: `{(error.text or '').strip()}`.") from error


def _names(text: str, context: type[ast.expr_context]) -> set[str]:
    return {node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def _require_whole(document: Document, wanted: Wanted, text: str) -> None:
    """Raises: InvalidSpec: the function uses what it neither makes nor is given, and which cell makes it."""
    try:
        module = symtable.symtable(text, wanted.name, "exec")
    except SyntaxError as error:
        raise InvalidSpec(f"The cells tagged {wanted.tag!r} cannot be a function: {error.msg}.") from error
    [function] = [one for one in module.get_children() if one.get_name() == wanted.name]
    if missing := sorted({*_globals(function)} - {*dir(builtins)}):
        makers = [_maker(document, name) for name in missing]
        raise InvalidSpec(
            f"The cells tagged {wanted.tag!r} use {', '.join(makers)}. Tag what makes it too, tag imports 'imports', "
            "put plain values into the cell tagged 'parameters', or hand a file on: --input NAME:Dataset."
        )


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    yield from (one.get_name() for one in table.get_symbols() if one.is_global() and one.is_referenced())
    for child in table.get_children():
        yield from _globals(child)


def _maker(document: Document, name: str) -> str:
    for number, cell in enumerate(document.node.cells, 1):
        if cell.cell_type == "code" and not MAGIC.search(cell.source) and name in _bound(cell.source):
            return f"{name}, which cell {number} makes"
    return f"{name}, which no cell makes"


def _bound(text: str) -> Sequence[str]:
    """Names that a cell gives a value: assignments, imports, functions, classes."""
    found = [*_names(text, ast.Store)]
    for node in _parsed(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found += [one.asname or one.name.partition(".")[0] for one in node.names]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append(node.name)
    return found
