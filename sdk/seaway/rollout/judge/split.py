"""Does the traffic follow its weights? A sequential sample-ratio test (Lindon and Malek 2022).

A gateway that sends the candidate less than its weight, or counts of one arm that are lost, make every comparison of
the arms doubtful. The requests that the weights, and nobody else, gave to the arms are a sample of known shares.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, xlog1py, xlogy

from seaway.rollout.judge.autocorrelation import Noise
from seaway.rollout.judge.bets import Bets
from seaway.rollout.judge.conditional import CAP
from seaway.rollout.observations import Observation

Floats = NDArray[np.float64]

SHIFTS = np.array([-3.0, -1.0, -0.3, 0.3, 1.0, 3.0])  # log odds by which the share may be off: a discrete prior
STRAY = 0.01  # share that may go astray at weights of 0 and 100 without a word


def split_bets(observations: Sequence[Observation]) -> Bets:
    """Bets that the candidate's share of the routed requests is not its weight, [looks, alternatives]."""
    rows = [_row(observation) for observation in observations]
    share, trials, candidate = np.array(rows, dtype=float).reshape(len(rows), 3).T
    alternatives = expit(logit(share)[:, None] + SHIFTS)
    bets = _log_likelihood(candidate, trials, alternatives) - _log_likelihood(candidate, trials, share[:, None])
    at_end = ((share <= STRAY)[:, None] & (SHIFTS < 0)) | ((share >= 1 - STRAY)[:, None] & (SHIFTS > 0))
    with np.errstate(divide="ignore"):
        noise = Noise(candidate / np.maximum(trials, 1) - share, share * (1 - share) / trials)
    return Bets(np.where(at_end, 0.0, np.minimum(bets, CAP)), noise)


def _row(observation: Observation) -> tuple[float, float, float]:
    """The candidate's share, requests that the weights routed, and how many of them it had."""
    if observation.weight is None or observation.routed is None:
        return 0.5, 0.0, 0.0
    stable, candidate = observation.routed
    return min(max(observation.weight / 100, STRAY), 1 - STRAY), stable + candidate, candidate


def _log_likelihood(candidate: Floats, trials: Floats, share: Floats) -> Floats:
    likelihood = xlogy(candidate[:, None], share) + xlog1py((trials - candidate)[:, None], -share)
    return np.asarray(likelihood, dtype=np.float64)
