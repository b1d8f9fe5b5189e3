"""The arms side by side: each criterion as bets on a worsening that the looks win or lose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seaway.rollout.judge import bounded_means, proportions
from seaway.rollout.judge.autocorrelation import Noise, serial_inflation
from seaway.rollout.judge.latency import Latencies
from seaway.rollout.judge.verdict import Hypothesis
from seaway.rollout.observations import ArmObservation, Observation
from seaway.rollout.policy import Policy

Floats = NDArray[np.float64]


class Comparison(Protocol):
    """One criterion; a worsening is in `unit`, and `span` holds all worsenings worth asking about."""

    @property
    def unit(self) -> str: ...

    @property
    def span(self) -> tuple[float, float]: ...

    @property
    def n(self) -> tuple[int, int]:
        """Observations of the stable and of the candidate arm."""
        ...

    @property
    def estimate(self) -> float | None:
        """The candidate's worsening as observed; None before there is any."""
        ...

    def log_bets(self, hypothesis: Hypothesis, bound: float) -> Floats:
        """Log e-variables against a worsening on the other side of `bound`, [looks, alternatives]."""
        ...

    def noise(self, bound: float) -> Noise:
        """How much the looks differ from each other."""
        ...


@dataclass(frozen=True)
class ErrorComparison:
    """Difference of error proportions."""

    table: proportions.Table
    unit: str = "difference of error rates"
    span: tuple[float, float] = (-0.99, 0.99)

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> "ErrorComparison":
        counts = [
            (
                observation.stable.requests,
                observation.stable.errors,
                observation.candidate.requests,
                observation.candidate.errors,
            )
            for observation in observations
        ]
        return cls(proportions.Table(*np.array(counts, dtype=float).reshape(len(counts), 4).T))

    @property
    def n(self) -> tuple[int, int]:
        return int(self.table.stable_trials.sum()), int(self.table.candidate_trials.sum())

    @property
    def estimate(self) -> float | None:
        stable, candidate = self.n
        if not stable or not candidate:
            return None
        return float(self.table.candidate_events.sum() / candidate - self.table.stable_events.sum() / stable)

    def log_bets(self, hypothesis: Hypothesis, bound: float) -> Floats:
        return proportions.log_bets(self.table, hypothesis, bound)

    def noise(self, bound: float) -> Noise:
        return self.spread

    @cached_property
    def spread(self) -> Noise:
        """The same at every bound."""
        return Noise(self.table.differences, self.table.variances)


@dataclass(frozen=True)
class LatencyComparison:
    """Relative worsening of one latency quantile."""

    latencies: Latencies
    quantile: float
    unit: str = "relative slow-down"
    span: tuple[float, float] = (-0.9, 19.0)

    @property
    def n(self) -> tuple[int, int]:
        return sum(observation.size for observation in self.latencies.stable), sum(
            observation.size for observation in self.latencies.candidate
        )

    @property
    def estimate(self) -> float | None:
        ratio = self.latencies.ratio(self.quantile)
        return None if ratio is None else ratio - 1

    @cached_property
    def thresholds(self) -> Floats:
        return self.latencies.thresholds(self.quantile)

    @cached_property
    def serial(self) -> float:
        return self.latencies.serial

    def log_bets(self, hypothesis: Hypothesis, bound: float) -> Floats:
        return proportions.log_bets(self._table(bound), hypothesis, 0.0)

    def noise(self, bound: float) -> Noise:
        table = self._table(bound)
        return Noise(table.differences, table.variances, self.serial)

    def _table(self, bound: float) -> proportions.Table:
        return self.latencies.exceedances(self.thresholds, 1 + bound)


@dataclass(frozen=True)
class QualityComparison:
    """Difference of mean losses: of pairs where requests were asked of both arms, else of matched samples."""

    differences: Sequence[Floats]
    observed: tuple[int, int]
    unit: str = "difference of mean losses"
    span: tuple[float, float] = (-0.99, 0.99)

    @classmethod
    def of(cls, observations: Sequence[Observation]) -> "QualityComparison":
        pairs = [observation.difference_values for observation in observations]
        if count := sum(pair.size for pair in pairs):
            return cls(pairs, (count, count))
        stable, candidate = ([arm.loss_values for arm in arms] for arms in _arms(observations))
        matched = [bounded_means.matched(*observation) for observation in zip(stable, candidate, strict=True)]
        return cls(
            matched,
            (sum(observation.size for observation in stable), sum(observation.size for observation in candidate)),
        )

    @property
    def n(self) -> tuple[int, int]:
        return self.observed

    @cached_property
    def flat(self) -> Floats:
        return np.concatenate([*self.differences, np.zeros(0)])

    @property
    def estimate(self) -> float | None:
        return float(self.flat.mean()) if self.flat.size else None

    def log_bets(self, hypothesis: Hypothesis, bound: float) -> Floats:
        return bounded_means.log_bets(self.differences, hypothesis, bound)

    def noise(self, bound: float) -> Noise:
        return self.spread

    @cached_property
    def spread(self) -> Noise:
        """The same at every bound."""
        return Noise(*bounded_means.moments(self.differences), serial_inflation([self.flat]))


def comparisons(observations: Sequence[Observation], policy: Policy) -> Mapping[str, Comparison]:
    """The policy's criteria on these looks, named and ordered as `policy.criteria`."""
    found: dict[str, Comparison] = {"errors": ErrorComparison.of(observations)}
    if policy.quality:
        found["quality"] = QualityComparison.of(observations)
    quantiles = policy.latency.quantiles if policy.latency else ()
    latencies = Latencies(*([arm.latency_values for arm in arms] for arms in _arms(observations)))
    for quantile in quantiles:
        found[f"latency p{100 * quantile:g}"] = LatencyComparison(latencies, quantile)
    return found


def _arms(observations: Sequence[Observation]) -> tuple[list[ArmObservation], list[ArmObservation]]:
    return [observation.stable for observation in observations], [observation.candidate for observation in observations]
