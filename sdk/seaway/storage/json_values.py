"""Values as files and pipeline engines carry them."""

import json
from typing import Any

from seaway.errors import InvalidSpec


def as_json(value: Any, what: str) -> Any:
    """The value as JSON gives it back, 6.0 as 6: pipeline engines know one kind of number only.

    Raises:
        InvalidSpec: JSON cannot carry it; the message calls it `what`.
    """
    try:
        return json.loads(json.dumps(value, allow_nan=False), parse_float=_number)
    except (TypeError, ValueError) as error:
        raise InvalidSpec(f"{what} is no JSON value ({error}); use text, numbers, lists, objects.") from error


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value
