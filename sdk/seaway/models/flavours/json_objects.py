"""The objects of a JSON value, for what reads a file of somebody else's before anything loads it."""

from collections.abc import Iterator
from typing import Any


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, however deep: without recursion, since a hostile file may nest for ever."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            yield current
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
