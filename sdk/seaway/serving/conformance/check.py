"""What a check is made of."""

import math
from collections.abc import Callable
from typing import Any

from seaway.errors import InvalidSpec
from seaway.serving.conformance.target import Answer, Target

Check = Callable[[Target], None]
OK = 200
ROUNDING, NOTHING = 1e-3, 1e-6  # relative, as FP16 is rounded; absolute, of what is nearly 0


class Lacking(Exception):
    """The server does not claim what is checked."""


def require(holds: bool, why: str) -> None:
    """Raises: InvalidSpec: it does not hold."""
    if not holds:
        raise InvalidSpec(why)


def alike(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, fractions but for rounding: a batch of another size sums otherwise."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=NOTHING)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)


def answered(answer: Answer) -> Answer:
    """The answer, which is one. Raises: InvalidSpec."""
    require(answer.status == OK, f"a right request is answered {answer.told}")
    return answer


def refused(answer: Answer, what: str) -> None:
    """Raises: InvalidSpec: the request was not refused, or the refusal does not say why."""
    require(answer.refused, f"{what} is answered {answer.told}")
    told = answer.json
    require(isinstance(told, dict) and bool(told.get("error")), f"{what} is refused without an 'error': {answer.told}")
