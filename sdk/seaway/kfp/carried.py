"""What Kubeflow's parameters can carry: JSON whose numbers are doubles.

Anything else would arrive as another value, or fail a step on its way, so it is refused before anything starts.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kfp.compiler import pipeline_spec_builder

from seaway.errors import InvalidSpec

MOST = 2**53 - 1  # each whole number up to it is a double of its own


def hindrance(value: object, null: bool = False) -> str:
    """Why a value cannot travel, and where in it that is; empty where it can.

    A step may give `null`, which a message has; what is given to a pipeline and written in it may not.
    """
    if value is None:
        return "" if null else "Kubeflow's parameters carry no null; leave it out"
    if isinstance(value, bool):
        return ""
    if isinstance(value, int) and abs(value) > MOST:
        return f"Kubeflow's numbers are doubles, which change whole numbers from 2^53 on; give {value} as text"
    if isinstance(value, float) and not math.isfinite(value):
        return f"JSON has no number {value}"
    return _hindrance_inside(value, null)


def _hindrance_inside(value: object, null: bool) -> str:
    if isinstance(value, str):
        return "" if _is_utf8(value) else "its bytes are no UTF-8"
    if isinstance(value, dict):
        return next(filter(None, (_of_item(key, item, null) for key, item in value.items())), "")
    if isinstance(value, list):
        return next(
            (f"in its item {index}, {why}" for index, item in enumerate(value) if (why := hindrance(item, null))), ""
        )
    return "" if isinstance(value, int | float) else f"JSON has no {type(value).__name__}"


def _of_item(key: object, value: object, null: bool) -> str:
    if not isinstance(key, str) or not _is_utf8(key):
        return f"its key {key!r} is no text"
    return f"in its {key!r}, {why}" if (why := hindrance(value, null)) else ""


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
            raise InvalidSpec(f"its value {value!r} cannot travel: {why}.")
        return written(value)

    return checked
