"""The CEL rules of a schema (`x-kubernetes-validations`), asked of an object that is to be created.

Evaluated by Google's own evaluator. Two kinds of rules are passed over, for the server's word on them is not known
here: those about a change (`oldSelf`), and those that call a function of Kubernetes' own libraries. What a rule costs
the server is not reckoned. (kubernetes.io: "Common Expression Language in Kubernetes"; names are escaped as it says
under "Escaping".)
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

from seaway.platforms.kubernetes.validation.problem import Problem, path_text
from seaway.platforms.kubernetes.validation.structure import Part, below, resolved

RULES = "x-kubernetes-validations"
RESERVED = frozenset((
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
))  # fmt: skip
OF_A_CHANGE = re.compile(r"\boldSelf\b")
ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))


def problems(value: Any, part: Part, definitions: Part, path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """Every rule that the value or a part of it breaks."""
    part = resolved(part, definitions)
    if rules := part.get(RULES):
        seen = _seen(value, part, definitions)
        yield from (_problem(rule, path, seen) for rule in rules if _broken(rule["rule"], seen))
    for key, entry, schema in below(value, part):
        if schema:
            yield from problems(entry, schema, definitions, (*path, key))


def _broken(rule: str, seen: Any) -> bool:
    """A rule that cannot be evaluated on a value is broken by it, as the server has it."""
    compiled = _compiled(rule)
    return compiled is not None and compiled.eval(data={"self": seen}).value() is not True


def _text(expression: str, seen: Any) -> str:
    compiled = _compiled(expression)
    text = compiled.eval(data={"self": seen}).value() if compiled else None
    return text if isinstance(text, str) else ""


@cache
def _compiled(expression: str) -> cel.Expression | None:
    if OF_A_CHANGE.search(expression):
        return None
    try:
        return _environment().compile(expression)
    except RuntimeError:  # by the evaluator's own word: it knows no such function
        return None


@cache
def _environment() -> cel.Env:
    extensions = [ext_strings.ExtStrings(), ext_optional.ExtOptional()]
    return cel.NewEnv(variables={"self": cel.Type.DYN}, extensions=extensions)


def _problem(rule: Mapping[str, Any], path: tuple[str | int, ...], seen: Any) -> Problem:
    told = _text(rule.get("messageExpression", ""), seen)
    field = path_text(path) + rule.get("fieldPath", "")
    return Problem(
        field.removeprefix("."), f"Invalid value: {told or rule.get('message') or 'failed rule: ' + rule['rule']}"
    )


def _seen(value: Any, part: Part, definitions: Part) -> Any:
    """The value as a rule sees it: declared names escaped, numbers of a schema of numbers not whole."""
    part = resolved(part, definitions)
    if isinstance(value, list):
        return [_seen(entry, schema, definitions) for _, entry, schema in below(value, part)]
    if isinstance(value, Mapping):
        declared = part.get("properties", {})
        return {
            escaped(key) if key in declared else key: _seen(entry, schema, definitions)
            for key, entry, schema in ((str(key), entry, schema) for key, entry, schema in below(value, part))
        }
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and part.get("type") == "number" else value


def escaped(name: str) -> str:
    """A property's name as a rule writes it."""
    if name in RESERVED:
        return f"__{name}__"
    for text, escape in ESCAPES:
        name = name.replace(text, escape)
    return name
