"""Figures of probabilities of one class, and their influences."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from seaway.tasks.estimate import Estimate, Floats, Influences, Measured, Z, interval, mean

BINS = 15  # of equal mass, as in Nixon et al. 2019 for the adaptive calibration error
CLIP = 1e-7  # a probability of exactly 0 or 1 that is wrong would make the log loss infinite
DRAWS = 4000  # of the bins' gaps; an end of the interval then varies by 2 % of its distance from the estimate
LEVEL = (2.5, 97.5)  # percent


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest probability down, those of equal probability in one group.

    `group` is each row's group, shape [rows]; all else has shape [groups] and counts up to and with a group, but
    `positives` and `negatives`, which count in it.
    """

    group: npt.NDArray[np.intp]
    threshold: Floats
    positives: Floats
    negatives: Floats
    hits: Floats
    false_alarms: Floats


class Predictions(Measured):
    """Probabilities of one model for rows with known labels, of either class some; both of shape [rows]."""

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"log_loss": (0.0, np.inf)}

    def __init__(self, probabilities: Floats, labels: npt.NDArray[np.bool_]) -> None:
        self.probabilities = np.asarray(probabilities, np.float64)
        self.labels = np.asarray(labels, np.bool_)

    @cached_property
    def ranking(self) -> Ranking:
        ascending, group = np.unique(self.probabilities, return_inverse=True)
        group = len(ascending) - 1 - group
        positives = _sums(group, self.labels, len(ascending))
        negatives = _sums(group, ~self.labels, len(ascending))
        return Ranking(
            group, ascending[::-1], positives, negatives, np.cumsum(positives), np.cumsum(negatives)
        )  # fmt: skip

    @cached_property
    def bins(self) -> npt.NDArray[np.intp]:
        """The bin of each row, bins of equal mass."""
        edges = np.quantile(self.probabilities, np.linspace(0, 1, BINS + 1)[1:-1])
        return np.searchsorted(edges, self.probabilities, side="right")

    def figures(self) -> dict[str, Estimate]:
        """With the calibration error, which has no influences: absolute gaps are no smooth function of the weights."""
        return {**super().figures(), "ece": self.ece()}

    @cached_property
    def influences(self) -> Influences:
        clipped = np.clip(self.probabilities, CLIP, 1 - CLIP)
        return {
            "roc_auc": self.roc_auc(),
            "pr_auc": self._pr_auc(),
            "log_loss": mean(-np.log(np.where(self.labels, clipped, 1 - clipped))),
            "brier": mean((self.probabilities - self.labels) ** 2),
        }

    def roc_auc(self) -> tuple[float, Floats]:
        """The share of pairs of a positive and a negative that are in order, ties counting half; its influences."""
        ranking = self.ranking
        positives, negatives = ranking.hits[-1], ranking.false_alarms[-1]
        below = (negatives - ranking.false_alarms + ranking.negatives / 2) / negatives
        above = (ranking.hits - ranking.positives / 2) / positives
        value = float(ranking.positives @ below / positives)
        return value, self._by_row((below - value) / positives, (above - value) / negatives)

    def _pr_auc(self) -> tuple[float, Floats]:
        """The average precision, the mean of the precision at each positive; its influences."""
        ranking = self.ranking
        positives, called = ranking.hits[-1], ranking.hits + ranking.false_alarms
        precision = ranking.hits / called
        value = float(ranking.positives @ precision / positives)
        more_hits = _from_the_end(ranking.positives / called)
        more_calls = _from_the_end(ranking.positives * precision / called)
        return value, self._by_row((precision + more_hits - more_calls - value) / positives, -more_calls / positives)

    def _by_row(self, positive: Floats, negative: Floats) -> Floats:
        return np.where(self.labels, positive[self.ranking.group], negative[self.ranking.group])

    def _ece(self) -> float:
        return float(np.abs(self._gaps(self.probabilities - self.labels)).sum() / len(self.labels))

    def _gaps(self, values: Floats) -> Floats:
        """Sums of `values` in each bin."""
        return _sums(self.bins, values, BINS)

    def ece(self, seed: int = 0) -> Estimate:
        """The calibration error with its basic bootstrap interval (Davison and Hinkley 1997, section 5.2).

        A bin's gap is a sum over its rows, so it is drawn from its normal distribution. An absolute gap grows with
        noise, so the draws lie too high; reflecting them about the estimate takes that shift back out.
        The interval is widened to hold the estimate.
        """
        gaps = self.probabilities - self.labels
        noise = np.random.default_rng(seed).normal(size=(DRAWS, BINS)) * np.sqrt(self._gaps(gaps**2))
        drawn = np.abs(self._gaps(gaps) + noise).sum(axis=1) / len(self.labels)
        value = self._ece()
        low, high = np.percentile(drawn, LEVEL)
        return Estimate(value, max(0.0, min(value, 2 * value - float(high))), max(value, 2 * value - float(low)))


def _sums(places: npt.NDArray[np.intp], values: npt.NDArray[Any], count: int) -> Floats:
    return np.bincount(places, values, count).astype(np.float64, copy=False)


def _from_the_end(values: Floats) -> Floats:
    return np.cumsum(values[::-1])[::-1]


def area(part: Predictions) -> Estimate | None:
    """The ROC AUC with its interval; None where all rows are of one class."""
    if part.labels.all() or not part.labels.any():
        return None
    return interval(*part.roc_auc(), least=0.0, most=1.0)


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927)."""
    rate = hits / rows
    centre = (rate + Z * Z / (2 * rows)) / (1 + Z * Z / rows)
    half = Z / (1 + Z * Z / rows) * np.sqrt(rate * (1 - rate) / rows + Z * Z / (4 * rows * rows))
    return float(max(0.0, min(rate, centre - half))), float(min(1.0, max(rate, centre + half)))


def reliability(model: Predictions) -> list[dict[str, float]]:
    """The reliability curve: for each bin its mean probability, observed rate, 95 % interval and rows."""
    bins = (model.bins == index for index in range(BINS))
    return [_bin(model, rows) for rows in bins if rows.any()]


def _bin(model: Predictions, rows: npt.NDArray[np.bool_]) -> dict[str, float]:
    count, hits = int(rows.sum()), int(model.labels[rows].sum())
    low, high = wilson(hits, count)
    return {
        "predicted": float(model.probabilities[rows].mean()),
        "observed": hits / count,
        "low": low,
        "high": high,
        "count": count,
    }
