"""The conditions of If, Elif and Else, and the selectors of loops' items: the part of CEL that kfp writes."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from seaway.errors import InvalidSpec

Inputs = Mapping[str, Any]
Term = Callable[[Inputs], Any]

TOKEN = re.compile(
    r"\s*(?:(?P<input>inputs\.parameter_values\['[^']+'\])|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<number>-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?P<word>[a-z_]+)|(?P<sign>&&|\|\||[=!<>]=|[<>!()]))"
)
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CONSTANTS = {"true": True, "false": False, "null": None}
CAST: dict[str, Callable[[Any], Any]] = {"int": lambda value: int(float(value)), "double": float, "string": str}
SELECTOR = re.compile(r"\[\s*(?:\"([^\"]*)\"|'([^']*)'|(\d+))\s*\]")


def condition(text: str) -> Callable[[Inputs], bool]:
    """What decides whether a task runs, by the values of the task's inputs.

    It raises KeyError where an input has no value and TypeError where values cannot be compared.

    Raises:
        InvalidSpec: the text is none.
    """
    return _Parser(text).parsed()


class _Parser:
    """Reads `a && b || !(c)` from left to right, with the precedence of CEL."""

    def __init__(self, text: str) -> None:
        self._text, self._tokens = text, _tokens(text)

    def parsed(self) -> Callable[[Inputs], bool]:
        decide = self._either()
        if self._tokens:
            raise self._unreadable()
        return lambda inputs: bool(decide(inputs))

    def _either(self) -> Term:
        first = self._both()
        while self._take("||"):
            first = _or(first, self._both())
        return first

    def _both(self) -> Term:
        first = self._not()
        while self._take("&&"):
            first = _and(first, self._not())
        return first

    def _not(self) -> Term:
        if self._take("!"):
            inner = self._not()
            return lambda inputs: not inner(inputs)
        return self._comparison()

    def _comparison(self) -> Term:
        left = self._term()
        if not (self._tokens and self._tokens[0] in COMPARED):
            return left
        return _compared(COMPARED[self._tokens.pop(0)], left, self._term())

    def _term(self) -> Term:
        if not self._tokens:
            raise self._unreadable()
        word = self._tokens.pop(0)
        if word == "(":
            return self._closed(self._either())
        if word in CAST and self._take("("):
            return _cast(CAST[word], self._closed(self._either()))
        if word.startswith("inputs."):
            return operator.itemgetter(word[len("inputs.parameter_values['") : -len("']")])
        return _constant(self._value(word))

    def _closed(self, term: Term) -> Term:
        if not self._take(")"):
            raise self._unreadable()
        return term

    def _value(self, word: str) -> Any:
        if word in CONSTANTS:
            return CONSTANTS[word]
        if word[0] in "'\"":
            return word[1:-1]
        try:
            return json.loads(word)
        except ValueError as error:
            raise self._unreadable() from error

    def _take(self, sign: str) -> bool:
        if self._tokens and self._tokens[0] == sign:
            self._tokens.pop(0)
            return True
        return False

    def _unreadable(self) -> InvalidSpec:
        return _unreadable(self._text)


def _unreadable(text: str) -> InvalidSpec:
    return InvalidSpec(
        f"the condition {text} cannot be read. kfp writes it so for a text with a quote in it, and for a number that "
        "is compared with a text"
    )


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    while text[place:].strip():
        token = TOKEN.match(text, place)
        if token is None:
            raise _unreadable(text)
        found.append(token[0].strip())
        place = token.end()
    return found


def _or(first: Term, second: Term) -> Term:
    return lambda inputs: first(inputs) or second(inputs)


def _and(first: Term, second: Term) -> Term:
    return lambda inputs: first(inputs) and second(inputs)


def _compared(compare: Callable[[Any, Any], Any], left: Term, right: Term) -> Term:
    return lambda inputs: compare(left(inputs), right(inputs))


def _cast(cast: Callable[[Any], Any], term: Term) -> Term:
    return lambda inputs: cast(term(inputs))


def _constant(value: Any) -> Term:
    return lambda inputs: value


def selected(value: Any, selector: str) -> Any:
    """A part of a loop's item, as `parseJson(string_value)["name"]` asks for it.

    Raises:
        KeyError, IndexError, TypeError, ValueError: the item has no such part, or is no JSON.
    """
    if isinstance(value, str) and selector.startswith("parseJson("):
        value = json.loads(value)
    for double, single, place in SELECTOR.findall(selector):
        value = value[int(place)] if place else value[double or single]
    return value
