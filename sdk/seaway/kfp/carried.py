"""What Kubeflow's parameters can carry: JSON whose numbers are doubles.

Anything else would arrive as another value, or fail a step on its way, so it is refused before anything starts.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kfp.compiler import pipeline_spec_builder

from seaway.errors import InvalidSpec

MOST = 2**53 - 1  # each whole number up to it is a double of its own
LONGEST_SHOWN = 200  # characters of a value in a message
DOUBLES = "Kubeflow's numbers are doubles, which change whole numbers from 2^53 on"
WHOLE = re.compile(r"\s*[+-]?[\d_]+\s*")  # as int() reads it
DEEPEST = 100  # lists in lists; protobuf's readers of JSON go no deeper


def parsed(text: str) -> Any:
    """A JSON text, each name of an object once.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"it has a name twice, among {', '.join(sorted(name for name, _ in pairs))}")
    return found


def shown(value: object) -> str:
    """A value in a message: its beginning, where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write a number of thousands of digits
        return f"a {type(value).__name__} of too many digits"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def rounded(given: object, value: object) -> str:
    """Why a whole number, or the text of one, is another one as the float that it became; empty where it is not.

    Of a fraction or a power of ten nobody expects every digit.
    """
    if not isinstance(value, float) or not WHOLE.fullmatch(str(given)) or int(str(given)) == value:
        return ""
    return f"{DOUBLES}; the nearest one is {value:.0f}"


def hindrance(value: object, null: bool = False) -> str:
    """Why a value cannot travel, and where in it that is; empty where it can.

    A step may give `null`, which a message has; what is given to a pipeline and written in it may not.
    """
    if _depth(value) > DEEPEST:
        return f"it is nested deeper than {DEEPEST} levels"
    return _hindrance(value, null)


def _hindrance(value: object, null: bool) -> str:
    if value is None:
        return "" if null else "Kubeflow's parameters carry no null; leave it out"
    if isinstance(value, bool):
        return ""
    if isinstance(value, int) and abs(value) > MOST:
        return f"{DOUBLES}; give {shown(value)} as text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"JSON has no number {value}"
    return _hindrance_inside(value, null)


def _depth(value: object) -> int:
    """Levels of lists and dicts, counted without going deeper for each."""
    depth, level = 0, [value]
    while level := [item for one in level if isinstance(one, dict | list) for item in _items(one)]:
        depth += 1
        if depth > DEEPEST:
            break
    return depth


def _items(value: dict[Any, Any] | list[Any]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value


def _hindrance_inside(value: object, null: bool) -> str:
    if isinstance(value, str):
        return "" if _is_utf8(value) else "its bytes are no UTF-8"
    if isinstance(value, dict):
        return next(filter(None, (_of_item(key, item, null) for key, item in value.items())), "")
    if isinstance(value, list):
        return next(
            (f"in its item {index}, {why}" for index, item in enumerate(value) if (why := _hindrance(item, null))), ""
        )
    return "" if isinstance(value, int | float) else f"JSON has no {type(value).__name__}"


def _of_item(key: object, value: object, null: bool) -> str:
    if not isinstance(key, str) or not _is_utf8(key):
        return f"its key {key!r} is no text"
    return f"in its {key!r}, {why}" if (why := _hindrance(value, null)) else ""


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def refusing_constants() -> Iterator[None]:
    """Refuse what a pipeline's own code says and a compiled file would hold as another value, while it is compiled.

    Raises:
        InvalidSpec: a default, or an argument of a step, cannot travel.
    """
    written = pipeline_spec_builder.to_protobuf_value
    pipeline_spec_builder.to_protobuf_value = _checked(written)
    try:
        yield
    finally:
        pipeline_spec_builder.to_protobuf_value = written


def _checked(written: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        if why := hindrance(value):
            raise InvalidSpec(f"its value {shown(value)} cannot travel: {why}.")
        return written(value)

    return checked
