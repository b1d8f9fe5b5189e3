"""Parts of a command that stand for other words, as KFP's compiler writes `dsl.ConcatPlaceholder` and its like."""

import json
from collections.abc import Container
from typing import Any

STRUCTS = ('{"Concat":', '{"IfPresent":')


def words(part: str, given: Container[str]) -> list[str]:
    """A part of a command as words: `Concat` is one word, `IfPresent` as many as it says.

    Args:
        given: Names of the step's inputs that are there.
    """
    return _struct(json.loads(part), given) if part.startswith(STRUCTS) else [part]


def _struct(part: Any, given: Container[str]) -> list[str]:
    if part is None:
        return []
    if isinstance(part, str):
        return [part]
    if isinstance(part, list):
        return [word for one in part for word in _struct(one, given)]
    if "Concat" in part:
        return ["".join(_struct(part["Concat"], given))]
    choice = part["IfPresent"]
    return _struct(choice["Then"] if choice["InputName"] in given else choice.get("Else"), given)
