"""A run of an experiment tracker, whichever it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Point(NamedTuple):
    """A value of a metric at a step; `time_ms` since 1970."""

    name: str
    value: float
    step: int
    time_ms: int


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker knows of a run; `files` by their paths in the run, with `/`, each a file of this machine."""

    key: str  # letters, digits, '-' and '_': the same run has the same
    name: str
    experiment: str
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    points: Sequence[Point] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    finished: bool = True

    @property
    def last(self) -> dict[str, float]:
        """Each metric's value at its last step."""
        return {point.name: point.value for point in sorted(self.points, key=lambda one: (one.step, one.time_ms))}
