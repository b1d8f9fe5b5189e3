"""What is seen of both arms between two looks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SKEW_S = 1.0  # by which two machines' clocks may differ
MOST = 10_000_000  # requests of an arm between two looks


@dataclass(frozen=True)
class ArmObservation:
    """One arm since the look before.

    Latencies of answered requests in seconds and losses in [0, 1] (of each request whose label has arrived)
    are in the order of asking; labels arrive late, so losses may be of earlier requests.
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
        if not (0 <= self.errors <= self.requests <= MOST and all(map(_whole, (self.errors, self.requests)))):
            return f"{self.errors} errors of {self.requests} requests are impossible counts"
        if not _within(self.latency_values, 0.0, math.inf):
            return "a latency is negative or no number"
        if not _within(self.loss_values, 0.0, 1.0):
            return "a loss is outside [0, 1] or no number"
        return ""


def _whole(count: float) -> bool:
    return float(count).is_integer()


def _within(values: Floats, low: float, high: float) -> bool:
    return bool(np.all(np.isfinite(values) & (low <= values) & (values <= high)))


@dataclass(frozen=True)
class Observation:
    """Both arms since the look before; times in seconds since the epoch.

    `differences` are losses of the candidate minus losses of the stable arm on the same requests, in [-1, 1].
    `measured_at` is when the metrics were true, None if they could not be had; `unseen` says why. `unattributed`
    requests got no answer and may have been either arm's. `weight` is the candidate's share of the traffic in percent;
    `routed` are the requests that it, and no caller, sent to the stable and to the candidate arm. `by_client` says
    that the arms' figures are what the client saw itself, because the metrics are missing.
    """

    time: float
    stable: ArmObservation = ArmObservation()
    candidate: ArmObservation = ArmObservation()
    differences: tuple[float, ...] = ()
    measured_at: float | None = None
    unseen: str = ""
    unattributed: int = 0
    weight: int | None = None
    routed: tuple[int, int] | None = None
    by_client: bool = False

    @cached_property
    def difference_values(self) -> Floats:
        return np.array(self.differences, dtype=float)

    def fault(self, max_age_s: float) -> str:
        """Why this look is no evidence that all is well; empty if it is."""
        if self.unseen or self.measured_at is None:
            return self.unseen or "no metrics"
        age = self.time - self.measured_at
        if not -SKEW_S <= age <= max_age_s:
            return f"the metrics are {age:.0f} s old; 0 to {max_age_s:.0f} s are allowed"
        return self.impossible()

    def impossible(self) -> str:
        """Why these figures cannot be right; empty if they can."""
        if not math.isfinite(self.time):
            return f"a look at {self.time} is at no time"
        if not self.stable.requests and not self.candidate.requests:
            return "no traffic was counted"
        if not _within(self.difference_values, -1.0, 1.0):
            return "a loss difference is outside [-1, 1] or no number"
        if self.routed is not None and not all(0 <= count <= MOST and _whole(count) for count in self.routed):
            return f"{self.routed} are impossible counts of routed requests"
        return next(
            (f"{name}: {fault}" for name in ("stable", "candidate") if (fault := getattr(self, name).fault())), ""
        )

    def testifies(self) -> bool:
        """Whether the client saw something itself that the metrics did not tell."""
        return self.by_client and not self.impossible()


def faults(observations: Sequence[Observation], max_age_s: float) -> list[str]:
    """Why each look is no evidence, empty where it is: its own fault, or it was taken or measured before another."""
    found, latest, measured = [], -math.inf, -math.inf
    for observation in observations:
        fault = observation.fault(max_age_s) or _order_fault(observation, latest, measured)
        found.append(fault)
        if not fault:
            latest, measured = observation.time, observation.measured_at or measured
    return found


def _order_fault(observation: Observation, latest: float, measured: float) -> str:
    if observation.time <= latest:
        return "it is no later than the look before: the same look again, or a clock that was set back"
    if (observation.measured_at or 0.0) < measured:
        return "its metrics are older than those of the look before"
    return ""
