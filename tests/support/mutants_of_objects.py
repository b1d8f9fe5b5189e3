"""Objects with one or two changes, most of them wrong, for rules to be held against."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

JSON_NAMES = st.sampled_from(["name", "image", "replicas", "env", "value", "limits", "template", "extra", "a/b", ""])
TEXTS = st.one_of(
    st.sampled_from(
        ["", "1", "-1", "1Gi", "4GB", "auto", "Never", "a b", "A", "ä", "x" * 70, "pytorch", "node", "1e3"]
    ),
    st.text(alphabet="abcXYZ0129-._/ ", max_size=12),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([2**31 - 1, 2**31, 2**63 - 1, -(2**31) - 1, 0.5, 1.5]),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(JSON_NAMES, inner, max_size=2)),
    max_leaves=4,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something can be changed: everywhere but the object's apiVersion and kind."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        if (*path, key) not in ((("apiVersion",)), ("kind",), ("metadata",)):
            yield (*path, key)
        yield from paths(below, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, objects: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """A valid object with one or two changes: a value replaced or removed, a field renamed or added, a list doubled."""
    result = copy.deepcopy(draw(objects))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(sorted(paths(result), key=repr)))
        where = result
        for part in path[:-1]:
            where = where[part]
        change = draw(st.sampled_from(["replace", "remove", "rename", "add", "double"]))
        if change == "replace":
            where[path[-1]] = draw(VALUES)
        elif change == "remove":
            where.pop(path[-1])
        elif change == "rename" and isinstance(where, dict):
            where[draw(JSON_NAMES)] = where.pop(path[-1])
        elif change == "add" and isinstance(where[path[-1]], dict):
            where[path[-1]][draw(JSON_NAMES)] = draw(VALUES)
        elif isinstance(where[path[-1]], list):
            where[path[-1]] *= 2
    return result
