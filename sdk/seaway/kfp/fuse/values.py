"""Parameters on their way from one step to the next, as KFP's driver and launcher carry them."""

import json
from decimal import Decimal
from typing import Any

from seaway.errors import DataUnreadable

PARSED = {"LIST": list, "STRUCT": dict}
TRUE, FALSE = {"1", "t", "T", "TRUE", "true", "True"}, {"0", "f", "F", "FALSE", "false", "False"}


def text_of(value: Any) -> str:
    """A value as text: numbers without an exponent, lists and structs as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return format(Decimal(repr(carried(value))), "f")
    return json.dumps(carried(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def parsed(text: str, kind: str) -> Any:
    """A value that a component has written to its file.

    Raises:
        DataUnreadable: the text is none of that type.
    """
    try:
        if kind == "STRING":
            return text
        if kind == "NUMBER_INTEGER":
            return int(text)
        if kind == "NUMBER_DOUBLE":
            return carried(float(text))
        if kind == "BOOLEAN":
            return _boolean(text.strip())
        value = json.loads(text)
        if not isinstance(value, PARSED[kind]):
            raise ValueError(text)
        return carried(value)
    except (ValueError, KeyError) as error:
        raise DataUnreadable(f"{text!r} is no {kind}.") from error


def _boolean(text: str) -> bool:
    if text in TRUE | FALSE:
        return text in TRUE
    raise ValueError(text)


def carried(value: Any) -> Any:
    """A value as it arrives at another step: KFP has one kind of number, so a whole one arrives as an integer."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [carried(item) for item in value]
    if isinstance(value, dict):
        return {key: carried(item) for key, item in value.items()}
    return value


def arriving(value: Any, kind: str) -> Any:
    """A value for an input of that type: whatever goes to a text becomes one."""
    return text_of(value) if kind == "STRING" else value
