"""What an endpoint's earlier rollouts tell the next one: its noise, its usual figures, and the ledger of its releases.

A rollout of one arm against another is the only place where the noise of a single arm shows: what both share cancels
there, and one arm alone cannot tell its own slow noise from a slow hour. So each rollout leaves how far its looks'
differences were from their mean. One that was rolled back leaves no noise, since its difference may have changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seaway.rollout.judge.autocorrelation import Prior, prior_of_residuals
from seaway.rollout.judge.criteria import QualityComparison
from seaway.rollout.judge.decision import residuals, usable_looks
from seaway.rollout.judge.verdict import Decision
from seaway.rollout.ledger import Ledger
from seaway.rollout.observations import Observation
from seaway.rollout.policy import Policy

Floats = NDArray[np.float64]

EDITION = 1
LOOKS = 600  # that are kept; more than 200 tell the slow noise of one arm
ROLLOUTS = 30
POINTS = 100  # of a distribution that is kept
DIGITS = 4


@dataclass(frozen=True)
class Usual:
    """Figures of a rollout: stable's requests and errors, points of the distributions of its latencies in seconds and
    of differences of losses (their mean taken off), how many of these a request brings, and its seconds."""

    requests: int = 0
    errors: int = 0
    latencies_s: tuple[float, ...] = ()
    differences: tuple[float, ...] = ()
    labels_per_request: float = 0.0
    seconds_per_request: float = 0.0

    @classmethod
    def of(cls, looks: Sequence[Observation]) -> "Usual":
        """Of usable looks."""
        total = sum(look.stable.requests + look.candidate.requests for look in looks)
        losses = QualityComparison.of(looks).flat if looks else np.zeros(0)
        seconds = looks[-1].time - looks[0].time if looks else 0.0
        return cls(
            sum(look.stable.requests for look in looks),
            sum(look.stable.errors for look in looks),
            _points(np.concatenate([np.zeros(0), *(look.stable.latency_values for look in looks)])),
            _points(losses - losses.mean() if losses.size else losses),
            losses.size / max(total, 1),
            seconds / max(total, 1),
        )

    @property
    def error_rate(self) -> float:
        return self.errors / max(self.requests, 1)


@dataclass(frozen=True)
class PastRollout:
    """`key` names it; `residuals` are the looks' standardized differences by criterion, empty after a rollback."""

    key: str
    ended: float
    decision: str
    residuals: Mapping[str, tuple[float, ...]]
    usual: Usual

    @classmethod
    def of(
        cls, key: str, ended: float, decision: Decision, observations: Sequence[Observation], policy: Policy
    ) -> "PastRollout":
        """Of a rollout that has ended, or of looks at two arms of one model."""
        looks = usable_looks(observations, policy)
        known = {} if decision is Decision.ROLLBACK else residuals(looks, policy)
        shown = {name: tuple(float(f"{value:.3g}") for value in values) for name, values in known.items()}
        return cls(key, ended, str(decision), shown, Usual.of(looks))

    @property
    def looks(self) -> int:
        return max([len(series) for series in self.residuals.values()], default=0)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "PastRollout":
        usual: dict[str, Any] = {
            name: tuple(item) if isinstance(item, list) else item for name, item in value["usual"].items()
        }
        series = {name: tuple(values) for name, values in value["residuals"].items()}
        return cls(**{**value, "residuals": series, "usual": Usual(**usual)})


@dataclass(frozen=True)
class History:
    """An endpoint's rollouts, the latest last, and its ledger as it was kept."""

    rollouts: tuple[PastRollout, ...] = ()
    ledger: Mapping[str, Any] | None = field(default=None)

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> "History":
        """What a store has kept; nothing where that is of another edition."""
        if not kept or kept.get("edition") != EDITION:
            return cls()
        return cls(tuple(PastRollout.from_json(value) for value in kept["rollouts"]), kept["ledger"])

    def to_json(self) -> dict[str, Any]:
        return {"edition": EDITION, "rollouts": [asdict(one) for one in self.rollouts], "ledger": self.ledger}

    def with_rollout(self, rollout: PastRollout, ledger: Ledger) -> "History":
        """With one rollout more, in place of one of its name; the oldest are forgotten."""
        others = tuple(one for one in self.rollouts if one.key != rollout.key)
        return History(_latest((*others, rollout)), ledger.to_json())

    @property
    def noise(self) -> dict[str, Prior]:
        """What the rollouts tell of each criterion's noise."""
        names = dict.fromkeys(name for rollout in self.rollouts for name in rollout.residuals)
        each = {name: [np.array(one.residuals.get(name, ())) for one in self.rollouts] for name in names}
        return {name: prior_of_residuals(series) for name, series in each.items()}

    @property
    def usual(self) -> Usual:
        """Errors of all rollouts together; the other figures of the latest that has them."""
        found = [one.usual for one in self.rollouts if one.usual.requests]
        if not found:
            return Usual()
        quality = next((one for one in reversed(found) if one.differences), Usual())
        timed = next((one for one in reversed(found) if one.seconds_per_request), Usual())
        return Usual(
            sum(one.requests for one in found),
            sum(one.errors for one in found),
            next((one.latencies_s for one in reversed(found) if one.latencies_s), ()),
            quality.differences,
            quality.labels_per_request,
            timed.seconds_per_request,
        )


def _latest(rollouts: tuple[PastRollout, ...]) -> tuple[PastRollout, ...]:
    """The last ones that together have at most LOOKS looks, the very last in any case."""
    looks = np.cumsum([one.looks for one in reversed(rollouts)])
    count = max(int((looks <= LOOKS).sum()), 1)
    return rollouts[-min(count, ROLLOUTS) :]


def _points(values: Floats) -> tuple[float, ...]:
    """Values at evenly spaced levels of their distribution, as they were measured."""
    if not values.size:
        return ()
    levels = (np.arange(POINTS) + 0.5) / POINTS
    found = np.quantile(values, levels, method="inverted_cdf")
    return tuple(float(f"{value:.{DIGITS}g}") for value in found)
