"""One training of a study: its parameters, what came of it, and how it ended."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from seaway.tuning.objective import Constraint, Objective


class State(StrEnum):
    """How a trial stands. FAILED is a crash as well as a figure that is no number; it counts, and is never best."""

    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAILED = "FAILED"
    RUNNING = "RUNNING"


@dataclass(frozen=True)
class Trial:
    """One training of a study.

    Args:
        number: From 0, in the order in which trials started.
        state: How it stands.
        params: The point of the search space.
        values: Objectives and constraints by metric; of the last epoch where it was pruned.
        epochs: Epochs that it ran.
        seconds: Wall-clock time.
        reason: Why it failed or was pruned; empty otherwise.
        history: One mapping an epoch.
        rows: Fraction of the training rows that it learned from.
        parent: Number of the trial whose checkpoint it went on from, None where it started anew.
    """

    number: int
    state: State
    params: Mapping[str, Any]
    values: Mapping[str, float] = field(default_factory=dict)
    epochs: int = 0
    seconds: float = 0.0
    reason: str = ""
    history: tuple[Mapping[str, float], ...] = ()
    rows: float = 1.0
    parent: int | None = None

    def excess(self, constraints: Sequence[Constraint]) -> float:
        """The largest miss of a constraint; 0 or less where all are kept."""
        return max((one.excess(self.values.get(one.metric, math.nan)) for one in constraints), default=0.0)

    def counts(self, objectives: Sequence[Objective], constraints: Sequence[Constraint], rows: float = 1.0) -> bool:
        """Whether it may be best: it ended well, on so many rows, with finite figures, within the constraints."""
        found = all(math.isfinite(self.values.get(one.metric, math.nan)) for one in objectives)
        return self.state is State.COMPLETE and self.rows == rows and found and self.excess(constraints) <= 0
