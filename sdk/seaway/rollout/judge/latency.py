"""Is the candidate slower? The arms' latencies of each look against each other, so that heavy tails need no model.

If the candidate's latencies are at most `ratio` times the stable arm's, then candidate latencies divided by `ratio`
are no more often among the slowest of their look than stable ones. Nothing is taken from other looks: a slow hour that
both arms share makes no look differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from seaway.rollout.judge.autocorrelation import serial_inflation
from seaway.rollout.judge.proportions import Table

Floats = NDArray[np.float64]

LARGEST = 400  # values of a look whose ranks are compared at once; a longer one is taken in parts
ROUNDING = 1e-3  # ticks by which a whole number of them may be off
SECOND_DIGITS = 9  # of a latency in seconds: what differs by less than a nanosecond is equal
COARSE = 0.5  # share of values that differ from each other, below which they are multiples of a tick
LEAST = 0.5  # values that are to be above a quantile, below which a look is too short for it
TICKS_S = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)  # that are looked for
ZEROS_TICK_S = 1e-3  # assumed where nothing but zeros was measured


@dataclass(frozen=True)
class Latencies:
    """Seconds of each look's answered requests, in the order of asking; one array a look."""

    stable: Sequence[Floats]
    candidate: Sequence[Floats]

    @cached_property
    def resolution(self) -> float:
        """Seconds by which measured latencies differ at least; 0 where they are as fine as the clock."""
        values = np.concatenate([*self.stable, *self.candidate, np.zeros(0)])
        distinct = np.unique(np.round(values, SECOND_DIGITS))
        if not values.size or distinct.size > COARSE * values.size:
            return 0.0
        if not distinct.any():
            return ZEROS_TICK_S
        return next((tick for tick in TICKS_S if _multiples(distinct / tick)), 0.0)

    def compared(self, ratio: float) -> "Looks":
        """Latencies as they are compared: stable's a tick longer, the candidate's divided by `ratio`.

        What is less than a tick above `ratio` times stable's was rounded up, for all that is known.
        """
        if ratio not in self._compared:
            stable = [look + self.resolution for look in self.stable]
            self._compared[ratio] = Looks(stable, [look / ratio for look in self.candidate])
        return self._compared[ratio]

    @cached_property
    def _compared(self) -> dict[float, "Looks"]:
        return {}

    def slowest(self, quantile: float, ratio: float) -> Table:
        """How many of each arm are above the look's quantile of both arms together; none where a look is too short."""
        return self.compared(ratio).slowest(1 - quantile)

    def scores(self, ratio: float) -> tuple[list[Floats], list[Floats], NDArray[np.intp]]:
        """Normal scores of the ranks that each arm's values have in their look (van der Waerden), and the parts' looks.

        Of log-normal latencies they are, but for a factor, the log likelihood ratio of a slow-down.
        """
        from scipy.stats import rankdata  # most of a second

        stable, candidate, places = [], [], []
        looks = self.compared(ratio)
        for place, look in enumerate(zip(looks.stable, looks.candidate, strict=True)):
            for one, other in _parts(*look):
                ranks = rankdata(np.concatenate([one, other]))
                scores = ndtri(ranks / (ranks.size + 1))
                stable.append(scores[: one.size])
                candidate.append(scores[one.size :])
                places.append(place)
        return stable, candidate, np.array(places, dtype=np.intp)

    def ratio(self, quantile: float) -> float | None:
        """Candidate's quantile over stable's, half a tick added to both; None before both arms have answered."""
        stable, candidate = (np.concatenate([*arm, np.zeros(0)]) for arm in (self.stable, self.candidate))
        if not stable.size or not candidate.size:
            return None
        half = max(self.resolution / 2, np.finfo(float).tiny)
        return float((np.quantile(candidate, quantile) + half) / (np.quantile(stable, quantile) + half))

    @cached_property
    def serial(self) -> float:
        """The larger of the arms' variance inflations by the order of a look's requests."""
        return max(serial_inflation(arm) for arm in (self.stable, self.candidate))


@dataclass(frozen=True)
class Looks:
    """Values of both arms that are compared look by look, one array a look."""

    stable: Sequence[Floats]
    candidate: Sequence[Floats]

    @cached_property
    def _rows(self) -> tuple[Floats, Floats, Floats]:
        """Stable's values, the candidate's, and both sorted, each [looks, longest], filled up with NaN."""
        pooled = [np.sort(np.concatenate(pair)) for pair in zip(self.stable, self.candidate, strict=True)]
        return _padded(self.stable), _padded(self.candidate), _padded(pooled)

    def slowest(self, share: float) -> Table:
        """The largest values of each look, as many of both arms as the share has it, by arm.

        Equal values are on one side of the limit, whichever makes the share closer; an arm is never wholly above it.
        """
        stable, candidate, pooled = self._rows
        sizes = np.array([[look.size for look in arm] for arm in (self.stable, self.candidate)], dtype=float)
        total = sizes.sum(axis=0)
        known = (sizes.min(axis=0) > 0) & (share * total >= LEAST)
        place = (total - np.maximum(np.round(share * total), 1)).clip(min=0).astype(int)
        limit = np.take_along_axis(pooled, place[:, None], axis=1)
        above, from_it = (pooled > limit).sum(axis=1), (pooled >= limit).sum(axis=1)
        strict = (from_it >= total) | ((above > 0) & (share * total - above < from_it - share * total))
        counts = [
            np.where(strict, (arm > limit).sum(axis=1), (arm >= limit).sum(axis=1)) for arm in (stable, candidate)
        ]
        return Table(known * sizes[0], known * counts[0], known * sizes[1], known * counts[1])


def _padded(looks: Sequence[Floats]) -> Floats:
    rows = np.full((len(looks), max([look.size for look in looks], default=0) or 1), np.nan)
    for row, look in zip(rows, looks, strict=True):
        row[: look.size] = look
    return rows


def _multiples(ticks: Floats) -> bool:
    return bool(np.all(np.abs(ticks - np.round(ticks)) < ROUNDING))


def _parts(stable: Floats, candidate: Floats) -> list[tuple[Floats, Floats]]:
    """A look's values in parts of at most LARGEST, in the order of asking; none unless both arms have values."""
    count = -(-(stable.size + candidate.size) // LARGEST)
    pairs = zip(np.array_split(stable, count or 1), np.array_split(candidate, count or 1), strict=True)
    return [pair for pair in pairs if pair[0].size and pair[1].size]
