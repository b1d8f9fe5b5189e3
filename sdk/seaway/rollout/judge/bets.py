"""What a criterion stakes on its looks, and how far the looks can be trusted."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seaway.rollout.judge.autocorrelation import Noise

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bets:
    """Log e-variables, [..., looks, alternatives], the noise of those looks, and the alternatives' weights.

    `prior` sums to one; empty, all alternatives weigh the same.
    """

    log_e: Floats
    noise: Noise
    prior: Floats = field(default_factory=lambda: np.zeros(0))
