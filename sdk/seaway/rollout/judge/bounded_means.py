"""Is the mean of a bounded difference above a bound? Betting, valid at every look.

Wealth of a gambler who bets a fixed fraction against the null hypothesis, averaged over fractions (Waudby-Smith and
Ramdas 2024, "Estimating means of bounded random variables by betting"). No variance has to be known.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seaway.rollout.judge.verdict import Hypothesis

Floats = NDArray[np.float64]

FRACTIONS = np.array([0.02, 0.05, 0.12, 0.3, 0.6, 0.95])  # of the largest bet that cannot lose everything


def log_bets(looks: Sequence[Floats], hypothesis: Hypothesis, bound: float) -> Floats:
    """Log wealth gained in each look by each fraction, [looks, fractions]; the differences lie in [-1, 1].

    HARM speaks against "the mean is at most bound", SAFETY against "the mean is at least bound".
    """
    sign = hypothesis.sign
    fractions = FRACTIONS / (1 + sign * bound)
    ends = np.cumsum([0, *(look.size for look in looks)])
    flat = np.concatenate([*looks, np.zeros(0)])
    gains = np.log1p(sign * fractions * (flat[:, None] - bound)).cumsum(axis=0)
    wealth = np.vstack([np.zeros_like(fractions), gains])[ends]
    return np.diff(wealth, axis=0)


def moments(looks: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Mean of each look and its variance if differences were independent, each [looks]; infinite for an empty look."""
    everything = np.concatenate([*looks, np.zeros(0)])
    variance = max(float(np.var(everything)), 1e-12) if everything.size else 1.0
    sizes = np.array([look.size for look in looks], dtype=float)
    means = np.array([look.mean() if look.size else 0.0 for look in looks])
    with np.errstate(divide="ignore"):
        return means, variance / sizes


def matched(stable: Floats, candidate: Floats) -> Floats:
    """Differences of two unpaired samples of one look: the smaller arm's values against means of the larger's groups.

    Under the null hypothesis each difference has the arms' mean difference, whatever the traffic's split.
    """
    pairs = min(stable.size, candidate.size)
    if pairs == 0:
        return np.zeros(0)
    means = [np.array([group.mean() for group in np.array_split(arm, pairs)]) for arm in (stable, candidate)]
    differences: Floats = means[1] - means[0]
    return differences
