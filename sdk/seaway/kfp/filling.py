"""What a step does before its function is called: its source text goes behind that of a component (`filled.py`).

It runs where Seaway may not be installed, so it needs Python alone.
"""

from collections.abc import Callable, Collection
from typing import Any


def _seaway_filled(function: Callable[..., Any], texts: Collection[str], lists: Collection[str]) -> Callable[..., Any]:
    """The function, given values for the places that a pipeline left in its arguments, and a list for no artifact.

    Args:
        function: a component's.
        texts: the arguments that have places, `{{seaway:TYPE:INPUT}}`, somewhere in them.
        lists: the arguments that are lists of artifacts.
    """
    import functools
    import inspect
    import json
    import re
    import sys

    told = json.loads(sys.argv[sys.argv.index("--executor_input") + 1])
    values = told.get("inputs", {}).get("parameterValues", {})
    place = re.compile(r"\{\{seaway:(\w*):([^{}]+)\}\}")
    types = {"int": int, "float": float}

    def value(found: Any) -> Any:
        one = values.get(found[2])
        return types.get(found[1], lambda same: same)(one) if one is not None else None

    def text(found: Any) -> str:
        one = value(found)
        return one if isinstance(one, str) else json.dumps(one)

    def fill(given: Any) -> Any:
        if isinstance(given, dict):
            return {key: fill(item) for key, item in given.items()}
        if isinstance(given, list):
            return [fill(item) for item in given]
        if not isinstance(given, str):
            return given
        whole = place.fullmatch(given)
        return value(whole) if whole else place.sub(text, given)

    @functools.wraps(function)
    def filled(**given: Any) -> Any:
        made = {name: fill(one) if name in texts else one for name, one in given.items()}
        return function(**{name: [] if one is None and name in lists else one for name, one in made.items()})

    filled.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return filled
