"""Common judges, written anew from what their projects document, over [rollouts, looks] figures of each arm.

Kayenta-like: Netflix' judge of Spinnaker's Kayenta: a Mann-Whitney interval of 98 % around the Hodges-Lehmann shift,
"High" where its lower end is above a quarter of the shift; asked at every look about all looks so far.
Flagger-like: `analysis.threshold: 5`: rolled back at the fifth look whose figure is outside `thresholdRange`.
Argo-Rollouts-like: `successCondition`, `failureCondition`, `failureLimit: 3`, `inconclusiveLimit: 3`: ended by the
fourth failed or the fourth inconclusive measurement (which waits for a person).
Fixed sample: a one-sided t-test of 5 % over the looks' figures, once at the end as it is meant, or at every look.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]

CONFIDENCE, FRACTION = 0.98, 0.25
FAILED_CHECKS = 5
LIMIT = 3
LEVEL, LEAST = 0.05, 3  # of the t-test, and the looks that it needs


@dataclass(frozen=True)
class Bars:
    """What a person who knows the usual figure would write: at most `success` is good, above `failure` is bad."""

    success: float
    failure: float


def kayenta_like(stable: Floats, candidate: Floats, bars: Bars) -> Counts:
    """The look of each rollout's first alarm, 0 for none."""
    return first_alarms(
        len(stable), stable.shape[1], lambda rows, seen: _high(stable[rows, :seen], candidate[rows, :seen])
    )


def _high(stable: Floats, candidate: Floats) -> NDArray[np.bool_]:
    observations = stable.shape[1]
    spread = norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(observations**2 * (2 * observations + 1) / 12)
    rank = int(observations**2 / 2 - spread)
    if rank < 1:
        return np.zeros(len(stable), bool)
    middle = observations**2 // 2
    shifts = (candidate[:, :, None] - stable[:, None, :]).reshape(len(stable), -1)
    ordered = np.partition(shifts, (rank - 1, middle), axis=1)
    high: NDArray[np.bool_] = ordered[:, rank - 1] > FRACTION * np.abs(ordered[:, middle])
    return high


def flagger_like(stable: Floats, candidate: Floats, bars: Bars) -> Counts:
    """The look of each rollout's first alarm, 0 for none."""
    return _reached(candidate > bars.success, FAILED_CHECKS)


def argo_like(stable: Floats, candidate: Floats, bars: Bars) -> Counts:
    """The look of each rollout's first alarm, 0 for none."""
    failed = _reached(candidate > bars.failure, LIMIT + 1)
    unsure = _reached((candidate > bars.success) & (candidate <= bars.failure), LIMIT + 1)
    return np.where((failed > 0) & ((unsure == 0) | (failed < unsure)), failed, unsure)


def tested_once(stable: Floats, candidate: Floats, bars: Bars) -> Counts:
    """The last look where it alarms, 0 for none."""
    return np.where(_significant(stable, candidate), stable.shape[1], 0)


def tested_always(stable: Floats, candidate: Floats, bars: Bars) -> Counts:
    """The look of each rollout's first alarm, 0 for none."""
    return first_alarms(
        len(stable), stable.shape[1], lambda rows, seen: _significant(stable[rows, :seen], candidate[rows, :seen])
    )


def _significant(stable: Floats, candidate: Floats) -> NDArray[np.bool_]:
    looks = stable.shape[1]
    if looks < LEAST:
        return np.zeros(len(stable), bool)
    difference = candidate.mean(axis=1) - stable.mean(axis=1)
    spread = np.sqrt((stable.var(axis=1, ddof=1) + candidate.var(axis=1, ddof=1)) / looks)
    found: NDArray[np.bool_] = difference > spread * t.ppf(1 - LEVEL, 2 * looks - 2)
    return found


def _reached(hits: NDArray[np.bool_], count: int) -> Counts:
    reached = hits.cumsum(axis=1) >= count
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 0)


def first_alarms(runs: int, observations: int, alarmed: Callable[[Counts, int], NDArray[np.bool_]]) -> Counts:
    """Ask look by look about the rollouts that have had no alarm yet."""
    first, running = np.zeros(runs, np.intp), np.arange(runs)
    for seen in range(1, observations + 1):
        hit = alarmed(running, seen)
        first[running[hit]] = seen
        running = running[~hit]
        if not running.size:
            break
    return first
