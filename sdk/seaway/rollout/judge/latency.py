"""Is the candidate slower? Latencies as proportions above a threshold, so that heavy tails need no model.

If the candidate's latencies are at most `ratio` times the stable arm's, then candidate latencies divided by `ratio`
exceed any threshold no more often than stable ones. The threshold of a look is a quantile of the stable arm in looks
before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seaway.rollout.judge.autocorrelation import serial_inflation
from seaway.rollout.judge.proportions import Table

Floats = NDArray[np.float64]

MIN_HISTORY = 20  # stable latencies before the first threshold is drawn


@dataclass(frozen=True)
class Latencies:
    """Seconds of each look's answered requests, in the order of asking; one array a look."""

    stable: Sequence[Floats]
    candidate: Sequence[Floats]

    def thresholds(self, quantile: float) -> Floats:
        """The stable arm's quantile as known before each look, seconds, [looks]; infinite before there is a history."""
        history, thresholds = np.zeros(0), []
        for look in self.stable:
            thresholds.append(_quantile(history, quantile) if history.size >= MIN_HISTORY else np.inf)
            history = np.sort(np.concatenate([history, look]), kind="stable")
        return np.array(thresholds)

    def exceedances(self, thresholds: Floats, ratio: float) -> Table:
        """How many latencies exceed the thresholds, the candidate's divided by `ratio`; none without a threshold."""
        known = np.isfinite(thresholds).astype(float)
        return Table(
            stable_trials=known * self._flat_stable.sizes,
            stable_events=self._flat_stable.above(thresholds),
            candidate_trials=known * self._flat_candidate.sizes,
            candidate_events=self._flat_candidate.above(thresholds * ratio),
        )

    def ratio(self, quantile: float) -> float | None:
        """Candidate's quantile over stable's; None before both arms have answered."""
        stable, candidate = self._flat_stable.values, self._flat_candidate.values
        if not stable.size or not candidate.size:
            return None
        return float(np.quantile(candidate, quantile) / np.quantile(stable, quantile))

    @cached_property
    def serial(self) -> float:
        """The larger of the arms' variance inflations by the order of requests."""
        return max(serial_inflation([flat.values]) for flat in (self._flat_stable, self._flat_candidate))

    @cached_property
    def _flat_stable(self) -> "Flat":
        return Flat.of(self.stable)

    @cached_property
    def _flat_candidate(self) -> "Flat":
        return Flat.of(self.candidate)


@dataclass(frozen=True)
class Flat:
    """Looks end to end: all values, the look of each, and the sizes of the looks."""

    values: Floats
    look: NDArray[np.intp]
    sizes: Floats

    @classmethod
    def of(cls, looks: Sequence[Floats]) -> "Flat":
        sizes = [look.size for look in looks]
        values = np.concatenate([*looks, np.zeros(0)])
        return cls(values, np.repeat(np.arange(len(looks)), sizes), np.array(sizes, dtype=float))

    def above(self, thresholds: Floats) -> Floats:
        """How many values of each look exceed its threshold, [looks]."""
        weights = self.values > thresholds[self.look]
        return np.bincount(self.look, weights=weights, minlength=len(self.sizes)).astype(np.float64)


def _quantile(ordered: Floats, quantile: float) -> float:
    """Of sorted values, by linear interpolation as numpy.quantile's."""
    place = quantile * (ordered.size - 1)
    below = int(place)
    low, high = ordered[below], ordered[min(below + 1, ordered.size - 1)]
    return float(low + (high - low) * (place - below))
