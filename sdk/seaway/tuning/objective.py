"""What is sought, and what the found has to keep to: figures that a training writes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from seaway.errors import InvalidSpec

GOALS = ("maximize", "minimize")
Figure = TypeVar("Figure", "Objective", "Constraint")


@dataclass(frozen=True)
class Objective:
    """A figure to be made large or small.

    Args:
        metric: A key of the training's `metrics.json`; what is compared between epochs is its key in `history.jsonl`.
        goal: `maximize` or `minimize`.
    Raises:
        InvalidSpec: the goal is another word.
    """

    metric: str
    goal: str = "maximize"

    def __post_init__(self) -> None:
        if self.goal not in GOALS:
            raise InvalidSpec(f"The goal of {self.metric!r} is {self.goal!r}; there are: {', '.join(GOALS)}.")

    def better(self, one: float, other: float) -> bool:
        """Whether one value is strictly better than the other."""
        return one > other if self.goal == "maximize" else one < other

    def place(self, values: Mapping[str, float]) -> float:
        """What sorts trials from the best to the worst."""
        return -values[self.metric] if self.goal == "maximize" else values[self.metric]

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "Objective":
        """An objective from JSON values."""
        return _parsed(cls, fields)


@dataclass(frozen=True)
class Constraint:
    """A figure of `metrics.json` with a bound; a trial that misses it is never best.

    Raises:
        InvalidSpec: there is no bound, or none can be met.
    """

    metric: str
    at_most: float | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if self.at_most is None and self.at_least is None:
            raise InvalidSpec(f"The constraint on {self.metric!r} has no bound; give at_most or at_least.")
        if self.at_most is not None and self.at_least is not None and self.at_least > self.at_most:
            raise InvalidSpec(f"No {self.metric!r} is at least {self.at_least} and at most {self.at_most}.")

    def excess(self, value: float) -> float:
        """By how much the value misses the bounds; 0 or less where it keeps them, infinite where there is none."""
        if not math.isfinite(value):
            return math.inf
        over = -math.inf if self.at_most is None else value - self.at_most
        under = -math.inf if self.at_least is None else self.at_least - value
        return max(over, under)

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "Constraint":
        """A constraint from JSON values."""
        return _parsed(cls, fields)


def _parsed(kind: type[Figure], fields: Mapping[str, Any]) -> Figure:
    try:
        return kind(**fields)
    except TypeError as error:
        raise InvalidSpec(f"{dict(fields)} is no {kind.__name__.lower()}: {error}.") from error


def dominates(objectives: Sequence[Objective], one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether one is at least as good in every objective and better in some (Pareto)."""
    worse = any(each.better(other[each.metric], one[each.metric]) for each in objectives)
    return not worse and any(each.better(one[each.metric], other[each.metric]) for each in objectives)
