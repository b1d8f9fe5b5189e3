"""Figures of a binary classifier and their intervals.

Intervals are 95 % intervals of the infinitesimal jackknife (Efron 1982, chapter 6): the influence of a row on a figure
is the derivative by the weight of the row, and the variance is the sum of the squared influences. That is where a
bootstrap of the rows leads, without its noise and its time; for the ROC AUC it is the variance of DeLong, DeLong and
Clarke-Pearson 1988. The difference of two models has the difference of their influences, so it is paired.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from seaway.evaluation.gate import METRICS

BINS = 15  # of equal mass, as in Nixon et al. 2019 for the adaptive calibration error
CLIP = 1e-7  # a probability of exactly 0 or 1 that is wrong would make the log loss infinite
DRAWS = 4000  # of the bins' gaps; an end of the interval then varies by 2 % of its distance from the estimate
LEVEL = (2.5, 97.5)  # percent
Z = 1.959964  # the normal distribution's 97.5 % quantile

Floats = npt.NDArray[np.float64]
COMPARED = METRICS[:-1]  # absolute gaps are no smooth function of the rows' weights, so ece has no influences
MOST = {"log_loss": np.inf}  # of the others it is 1


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {name: round(value, 6) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


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


class Predictions:
    """Probabilities of one model for rows with known labels, of either class some; both of shape [rows]."""

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

    def figures(self) -> dict[str, float]:
        """The point estimates."""
        return {name: value for name, (value, _) in self.influences.items()} | {"ece": self._ece()}

    @cached_property
    def influences(self) -> dict[str, tuple[float, Floats]]:
        """The figures of `COMPARED`, each with its derivative by the weight of each row, of shape [rows]."""
        clipped = np.clip(self.probabilities, CLIP, 1 - CLIP)
        return {
            "roc_auc": self.roc_auc(),
            "pr_auc": self._pr_auc(),
            "log_loss": _mean(-np.log(np.where(self.labels, clipped, 1 - clipped))),
            "brier": _mean((self.probabilities - self.labels) ** 2),
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


def _mean(values: Floats) -> tuple[float, Floats]:
    value = float(values.mean())
    return value, (values - value) / len(values)


def _from_the_end(values: Floats) -> Floats:
    return np.cumsum(values[::-1])[::-1]


def estimates(
    models: Mapping[str, Predictions], reference: str
) -> tuple[dict[str, dict[str, Estimate]], dict[str, dict[str, Estimate]]]:
    """The figures of every model, and the paired differences `reference` minus each other model."""
    figures = {name: _figures(model) for name, model in models.items()}
    first = models[reference].influences
    differences = {
        name: {metric: _difference(first[metric], model.influences[metric]) for metric in COMPARED}
        for name, model in models.items()
        if name != reference
    }
    return figures, differences


def _figures(model: Predictions) -> dict[str, Estimate]:
    smooth = {
        metric: _interval(*figure, least=0.0, most=MOST.get(metric, 1.0)) for metric, figure in model.influences.items()
    }
    return {**smooth, "ece": model.ece()}


def _difference(one: tuple[float, Floats], other: tuple[float, Floats]) -> Estimate:
    return _interval(one[0] - other[0], one[1] - other[1])


def _interval(value: float, influences: Floats, least: float = -np.inf, most: float = np.inf) -> Estimate:
    half = Z * float(np.sqrt(influences @ influences))
    return Estimate(value, max(least, value - half), min(most, value + half))


def areas(model: Predictions, masks: Sequence[npt.NDArray[np.bool_]]) -> list[Estimate | None]:
    """ROC AUC with its interval in each part of the rows; None where a part is all of one class."""
    return [_area(Predictions(model.probabilities[mask], model.labels[mask])) for mask in masks]


def _area(part: Predictions) -> Estimate | None:
    if part.labels.all() or not part.labels.any():
        return None
    return _interval(*part.roc_auc(), least=0.0, most=1.0)


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927)."""
    rate = hits / rows
    centre = (rate + Z * Z / (2 * rows)) / (1 + Z * Z / rows)
    half = Z / (1 + Z * Z / rows) * np.sqrt(rate * (1 - rate) / rows + Z * Z / (4 * rows * rows))
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


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
