"""Which arm has the events of a look? Evidence given how many there are, so that whatever both arms share cancels.

Given all values of a look, an equal candidate's are a random draw from them. The e-variable of a look is the likelihood
ratio of a draw that prefers high scores (weights exp(tilt * score)) against the even draw; for scores 0 and 1 it is
Fisher's noncentral hypergeometric likelihood ratio of an odds ratio (the conditional test of Turner and Grunwald 2023).
Its expectation is one under equality whatever the look's common rate, and at most one on the far side of it.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

Floats = NDArray[np.float64]

CAP = 5.0  # nats: the most that one look may tell, so that one bad moment of an arm decides nothing


def odds_bets(
    stable_trials: Floats,
    stable_events: Floats,
    candidate_trials: Floats,
    candidate_events: Floats,
    tilts: Floats,
    null: Floats | float = 0.0,
) -> Floats:
    """Log e-variables of each look and log odds ratio, [..., looks, alternatives].

    A tilt above `null`, a log odds ratio for all looks or one a look, speaks against "at most null", one below it
    against "at least null". An e-variable that is cut off at CAP remains one.
    """
    events = stable_events + candidate_events
    looks = np.stack([part.ravel() for part in np.broadcast_arrays(stable_trials, candidate_trials, events, null)], -1)
    alternatives = tuple(tilts.tolist())
    normalizers = np.array([_normalizers(tuple(look), alternatives) for look in looks.tolist()])
    shifts = tilts - np.broadcast_to(null, events.shape)[..., None]
    bets: Floats = shifts * candidate_events[..., None] - normalizers.reshape(*events.shape, tilts.size)
    return np.minimum(bets, CAP)


@lru_cache(maxsize=10_000)  # looks are alike, and each is judged again with every later one
def _normalizers(look: tuple[float, float, float, float], tilts: tuple[float, ...]) -> Floats:
    """Log of the tilted ways to draw a look's events over those of its null, [alternatives]."""
    stable, candidate, events, null = look
    drawn = np.arange(max(0.0, events - stable), min(events, candidate) + 1)
    ways = _log_choose(candidate, drawn) + _log_choose(stable, events - drawn)
    weighed = logsumexp(ways + np.array([*tilts, null])[:, None] * drawn, axis=1)
    normalizers: Floats = weighed[:-1] - weighed[-1]
    return normalizers


def _log_choose(total: float, chosen: Floats) -> Floats:
    ways: Floats = gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)
    return ways


def score_bets(stable: Sequence[Floats], candidate: Sequence[Floats], tilts: Floats) -> Floats:
    """Log e-variables of looks by the scores of each arm's values, [looks, alternatives].

    A tilt above 0 speaks against "the candidate's scores are no higher". A look without values of both arms says 0.
    """
    if not stable:
        return np.zeros((0, tilts.size))
    drawn = np.array([arm.size for arm in candidate])
    sums = np.array([arm.sum() for arm in candidate])
    pooled = [np.concatenate(pair) for pair in zip(stable, candidate, strict=True)]
    sizes = np.array([values.size for values in pooled])
    scores = np.zeros((len(pooled), sizes.max()))
    for row, values in zip(scores, pooled, strict=True):
        row[: values.size] = values
    weights = np.exp(tilts[:, None] * scores[:, None, :])
    bets: Floats = tilts * sums[:, None] - np.log(_mean_products(weights, sizes, drawn))
    return np.minimum(bets, CAP)


def _mean_products(weights: Floats, sizes: NDArray[np.intp], drawn: NDArray[np.intp]) -> Floats:
    """Mean product of `drawn` weights over all draws without replacement from a row's first `sizes`, [looks, tilts].

    An elementary symmetric polynomial over its number of terms, made item by item; `weights` are [looks, tilts, items].
    """
    chosen = np.arange(1, drawn.max() + 1)
    means = np.zeros((*weights.shape[:2], chosen.size + 1))
    means[..., 0] = 1.0
    for index in range(weights.shape[-1]):
        rows = sizes > index
        share = np.minimum(chosen / (index + 1), 1.0)
        before = means[rows]
        means[rows, :, 1:] = (1 - share) * before[..., 1:] + share * weights[rows, :, index, None] * before[..., :-1]
    found: Floats = means[np.arange(len(drawn)), :, drawn]
    return found
