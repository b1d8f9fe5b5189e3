"""How boldly to bet that a candidate is safe, so that the evidence is enough before the budget is spent.

Full bets, the likelihood ratio of an equal candidate, are the quickest on average, but a sixteenth of rollouts takes
two and a half times as many requests, and a budget ends before. Bets of a fraction f win 2 f - f^2 of what full ones do
and scatter f times as much, so what is wanted still is reached by the end most likely where f^2 is that over what full
bets are expected to win (Browne 1999, "Reaching goals by a deadline", has the continuous case). An e-variable whose
fraction rests on the looks before only remains one, whatever the fraction is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRACTIONS = np.array([0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5])  # none below: it would take longer on average
LEAST = 0.05  # nats that are always wanted: evidence is to last until the other criteria have theirs


@dataclass(frozen=True)
class Pace:
    """`enough` is the log e-value that promotes; `budget` are the requests of both arms that there will be."""

    enough: float
    budget: float

    def staked(self, bets: Floats, growth: Floats, requests: Floats) -> Floats:
        """The bets that are made at this pace, [..., looks].

        Args:
            bets: log e-variables of each look by FRACTIONS, [..., looks, fractions].
            growth: nats that a request is expected to bring by full bets, as known before each look, [..., looks].
            requests: of both arms, [..., looks].
        """
        expected = growth * np.maximum(self.budget - (np.cumsum(requests, axis=-1) - requests), requests)
        staked, won = np.zeros(requests.shape), np.zeros(requests.shape[:-1])
        for look in range(requests.shape[-1]):
            best = np.sqrt(np.maximum(self.enough - won, LEAST) / np.maximum(expected[..., look], LEAST / 10))
            place = np.abs(FRACTIONS - best[..., None]).argmin(axis=-1)
            staked[..., look] = np.take_along_axis(bets[..., look, :], place[..., None], axis=-1)[..., 0]
            won = won + staked[..., look]
        return staked
