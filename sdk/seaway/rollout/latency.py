"""Is the candidate slower? Latencies as proportions above a threshold, so that heavy tails need no model.

If the candidate's latencies are at most `ratio` times the stable arm's, then candidate latencies divided by `ratio`
exceed any threshold no more often than stable ones. The threshold of a look is a quantile of the stable arm in looks
before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seaway.rollout.proportions import Table

Floats = NDArray[np.float64]

MIN_HISTORY = 20  # stable latencies before the first threshold is drawn


@dataclass(frozen=True)
class Latencies:
    """Seconds of each look's answered requests, in the order of asking; one array a look."""

    stable: Sequence[Floats]
    candidate: Sequence[Floats]

    def thresholds(self, quantile: float) -> Floats:
        """The stable arm's quantile as known before each look, seconds, [looks]; infinite before there is a history."""
        sizes = np.cumsum([0, *(look.size for look in self.stable)])
        flat = np.concatenate([*self.stable, np.zeros(0)])
        return np.array([np.quantile(flat[:size], quantile) if size >= MIN_HISTORY else np.inf for size in sizes[:-1]])

    def exceedances(self, thresholds: Floats, ratio: float) -> Table:
        """How many latencies exceed the thresholds, the candidate's divided by `ratio`; none without a threshold."""
        known = np.isfinite(thresholds).astype(float)
        return Table(
            stable_trials=known * _sizes(self.stable),
            stable_events=_above(self.stable, thresholds),
            candidate_trials=known * _sizes(self.candidate),
            candidate_events=_above(self.candidate, thresholds * ratio),
        )

    def ratio(self, quantile: float) -> float | None:
        """Candidate's quantile over stable's; None before both arms have answered."""
        stable, candidate = np.concatenate([*self.stable, []]), np.concatenate([*self.candidate, []])
        if not stable.size or not candidate.size:
            return None
        return float(np.quantile(candidate, quantile) / np.quantile(stable, quantile))


def _sizes(looks: Sequence[Floats]) -> Floats:
    return np.array([look.size for look in looks], dtype=float)


def _above(looks: Sequence[Floats], thresholds: Floats) -> Floats:
    look = np.repeat(np.arange(len(looks)), [look.size for look in looks])
    above = np.concatenate([*looks, np.zeros(0)]) > thresholds[look]
    return np.bincount(look, weights=above, minlength=len(looks)).astype(np.float64)
