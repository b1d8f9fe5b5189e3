"""Does the candidate fail too often, whatever stable does? Where both arms are broken no comparison is worth much."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlog1py, xlogy

from seaway.rollout.judge.autocorrelation import Noise, Prior
from seaway.rollout.judge.bets import Bets
from seaway.rollout.judge.conditional import CAP
from seaway.rollout.observations import Observation

Floats = NDArray[np.float64]

SURE = Prior(looks=1e9)  # no noise of looks is estimated: one arm alone has nothing to differ from
PARTS = np.array([0.2, 0.5, 0.9])  # of the way from the ceiling to 1 that a mixture bets on


def ceiling_bets(observations: Sequence[Observation], ceiling: float) -> Bets:
    """Bets against "the candidate's error rate is at most the ceiling", [looks, alternatives]."""
    counts = [(observation.candidate.errors, observation.candidate.requests) for observation in observations]
    errors, requests = np.array(counts, dtype=float).reshape(len(counts), 2, 1).transpose(1, 0, 2)
    rates = ceiling + (1 - ceiling) * PARTS
    bets = xlogy(errors, rates / ceiling) + xlog1py(requests - errors, -rates) - xlog1py(requests - errors, -ceiling)
    noise = Noise(np.zeros(len(bets)), np.full(len(bets), np.inf), prior=SURE)
    return Bets(np.minimum(bets, CAP), noise)


def failing_share(observations: Sequence[Observation]) -> float:
    """The candidate's error rate over these looks; 0 before it was asked."""
    requests = sum(observation.candidate.requests for observation in observations)
    return sum(observation.candidate.errors for observation in observations) / max(requests, 1)
