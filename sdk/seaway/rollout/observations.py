"""What is seen of both arms between two looks."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ArmObservation:
    """One arm since the look before.

    Latencies of answered requests in seconds and losses in [0, 1] (a Brier score of each request whose label has
    arrived) are in the order of asking; labels arrive late, so losses may be of earlier requests.
    """

    requests: int = 0
    errors: int = 0
    latencies_s: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()

    @cached_property
    def latency_values(self) -> Floats:
        return np.array(self.latencies_s, dtype=float)

    @cached_property
    def loss_values(self) -> Floats:
        return np.array(self.losses, dtype=float)

    def fault(self) -> str:
        """Why these figures cannot be right; empty if they can."""
        if not 0 <= self.errors <= self.requests:
            return f"{self.errors} errors of {self.requests} requests are impossible counts"
        if not _within(self.latency_values, 0.0, math.inf):
            return "a latency is negative or no number"
        if not _within(self.loss_values, 0.0, 1.0):
            return "a loss is outside [0, 1] or no number"
        return ""


def _within(values: Floats, low: float, high: float) -> bool:
    return bool(np.all(np.isfinite(values) & (low <= values) & (values <= high)))


@dataclass(frozen=True)
class Observation:
    """Both arms since the look before; times in seconds since the epoch.

    `differences` are losses of the candidate minus losses of the stable arm on the same requests, in [-1, 1].
    `measured_at` is when the metrics were true, None if they could not be had; `unseen` says why. `unattributed`
    requests got no answer and may have been either arm's.
    """

    time: float
    stable: ArmObservation = ArmObservation()
    candidate: ArmObservation = ArmObservation()
    differences: tuple[float, ...] = ()
    measured_at: float | None = None
    unseen: str = ""
    unattributed: int = 0

    @cached_property
    def difference_values(self) -> Floats:
        return np.array(self.differences, dtype=float)

    def fault(self, max_age_s: float) -> str:
        """Why this look is no evidence; empty if it is."""
        if self.unseen or self.measured_at is None:
            return self.unseen or "no metrics"
        if not self.stable.requests and not self.candidate.requests:
            return "no traffic was counted"
        age = self.time - self.measured_at
        if not age <= max_age_s:
            return f"the metrics are {age:.0f} s old, more than the {max_age_s:.0f} s allowed"
        if not _within(self.difference_values, -1.0, 1.0):
            return "a loss difference is outside [-1, 1] or no number"
        return next(
            (f"{name}: {fault}" for name in ("stable", "candidate") if (fault := getattr(self, name).fault())), ""
        )
