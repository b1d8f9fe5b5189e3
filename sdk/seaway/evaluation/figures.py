"""Figures of a binary classifier and their intervals.

Point estimates are scikit-learn's. Intervals are 95 % intervals of the Poisson bootstrap: every row gets an
independent Poisson(1) weight in each replicate (Hanley and MacGibbon 2006; Chamandy et al. 2012), which needs no
resampled copies. All models are weighted alike in a replicate, so their differences are paired.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

REPLICATES = 200  # an end of a 95 % interval then varies by about a tenth of its distance from the estimate
CHUNK = 5  # replicates weighted at a time: 5 x 34,000 weights are 1.4 MB, which a cache holds
BINS = 15  # of equal mass, as in Nixon et al. 2019 for the adaptive calibration error
CLIP = 1e-7  # a probability of exactly 0 or 1 that is wrong would make the log loss infinite
LEVEL = (2.5, 97.5)  # percent

Floats = npt.NDArray[np.float64]
Result = TypeVar("Result")
METRICS = ("roc_auc", "pr_auc", "log_loss", "brier", "ece")
COMPARED = METRICS[:-1]  # a bootstrap of the calibration error is shifted, and of a difference of two more so


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


class Predictions:
    """Probabilities of one model for rows with known labels; both of shape [rows]."""

    def __init__(self, probabilities: Floats, labels: npt.NDArray[np.bool_]) -> None:
        self.probabilities = np.asarray(probabilities, np.float64)
        self.labels = np.asarray(labels, np.bool_)

    @cached_property
    def _order(self) -> npt.NDArray[np.intp]:
        return np.argsort(-self.probabilities, kind="stable")

    @cached_property
    def _starts(self) -> npt.NDArray[np.intp]:
        """The first row of each group of equal probability, from the highest one down."""
        return np.append(0, 1 + np.flatnonzero(np.diff(self.probabilities[self._order])))

    @cached_property
    def _ranked_labels(self) -> Floats:
        return self.labels[self._order].astype(np.float64)

    @cached_property
    def _losses(self) -> Floats:
        """Per row: its log loss and its squared error, shape [rows, 2]."""
        clipped = np.clip(self.probabilities, CLIP, 1 - CLIP)
        log_loss = -np.log(np.where(self.labels, clipped, 1 - clipped))
        return np.stack([log_loss, (self.probabilities - self.labels) ** 2], axis=1)

    @cached_property
    def bins(self) -> npt.NDArray[np.intp]:
        """The bin of each row, bins of equal mass."""
        edges = np.quantile(self.probabilities, np.linspace(0, 1, BINS + 1)[1:-1])
        return np.searchsorted(edges, self.probabilities, side="right")

    @cached_property
    def _gaps(self) -> Floats:
        """Probability minus label, in the column of the row's bin; shape [rows, bins]."""
        gaps = np.zeros((len(self.labels), BINS))
        gaps[np.arange(len(self.labels)), self.bins] = self.probabilities - self.labels
        return gaps

    def figures(self) -> dict[str, float]:
        """The point estimates."""
        from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

        clipped = np.clip(self.probabilities, CLIP, 1 - CLIP)
        return {
            "roc_auc": float(roc_auc_score(self.labels, self.probabilities)),
            "pr_auc": float(average_precision_score(self.labels, self.probabilities)),
            "log_loss": float(log_loss(self.labels, clipped)),
            "brier": float(brier_score_loss(self.labels, self.probabilities)),
            "ece": float(np.abs(self._gaps.sum(axis=0)).sum() / len(self.labels)),
        }

    def weighted(self, weights: Floats) -> dict[str, Floats]:
        """The same figures for each row of `weights` (shape [replicates, rows]); NaN where a class has no weight."""
        total = weights.sum(axis=1)
        log_loss, brier = (weights @ self._losses / total[:, None]).T
        ece = np.abs(weights @ self._gaps).sum(axis=1) / total
        roc_auc, pr_auc = self.areas(weights)
        return {"roc_auc": roc_auc, "pr_auc": pr_auc, "log_loss": log_loss, "brier": brier, "ece": ece}

    def areas(self, weights: Floats) -> tuple[Floats, Floats]:
        """Areas under the ROC curve and (as average precision) the precision-recall curve."""
        ranked = weights[:, self._order]
        gained = np.add.reduceat(ranked * self._ranked_labels, self._starts, axis=1)
        mass = np.add.reduceat(ranked, self._starts, axis=1)
        hits, seen = np.cumsum(gained, axis=1), np.cumsum(mass, axis=1)
        late, early = hits[:, -1], seen[:, -1] - hits[:, -1]
        with np.errstate(divide="ignore", invalid="ignore"):
            pairs = np.einsum("ij,ij->i", mass - gained, hits - gained / 2)
            precise = np.einsum("ij,ij->i", gained, hits / np.maximum(seen, 1))
            return pairs / (late * early), precise / late


def estimates(
    models: Mapping[str, Predictions], reference: str, seed: int = 0
) -> tuple[dict[str, dict[str, Estimate]], dict[str, dict[str, Estimate]]]:
    """The figures of every model, and the paired differences `reference` minus each other model."""
    values = {name: model.figures() for name, model in models.items()}
    drawn = _replicates(models, seed)
    figures = {
        name: {metric: _interval(metric, values[name][metric], drawn[name][metric]) for metric in METRICS}
        for name in models
    }
    differences = {
        name: {
            metric: _percentile(
                values[reference][metric] - values[name][metric], drawn[reference][metric] - drawn[name][metric]
            )
            for metric in COMPARED
        }
        for name in models
        if name != reference
    }
    return figures, differences


def areas(model: Predictions, masks: Sequence[npt.NDArray[np.bool_]], seed: int = 0) -> list[Estimate | None]:
    """ROC AUC with its interval in each part of the rows; None where a part is all of one class."""
    from sklearn.metrics import roc_auc_score

    parts = [Predictions(model.probabilities[mask], model.labels[mask]) for mask in masks]
    usable = [index for index, part in enumerate(parts) if part.labels.any() and not part.labels.all()]
    drawn = _drawn(
        lambda weights: [parts[index].areas(weights[:, masks[index]])[0] for index in usable], len(model.labels), seed
    )
    found: list[Estimate | None] = [None] * len(parts)
    for index, replicates in zip(usable, zip(*drawn, strict=True), strict=True):
        value = float(roc_auc_score(parts[index].labels, parts[index].probabilities))
        found[index] = _percentile(value, np.concatenate(replicates))
    return found


def _replicates(models: Mapping[str, Predictions], seed: int) -> dict[str, dict[str, Floats]]:
    rows = len(next(iter(models.values())).labels)
    drawn = _drawn(lambda weights: {name: model.weighted(weights) for name, model in models.items()}, rows, seed)
    return {
        name: {metric: np.concatenate([chunk[name][metric] for chunk in drawn]) for metric in METRICS}
        for name in models
    }


def _drawn(figure: Callable[[Floats], Result], rows: int, seed: int) -> list[Result]:
    """`figure` of each chunk of replicates, a core each, since numpy lets go of the interpreter while it computes."""

    def one(chunk: int) -> Result:
        random = np.random.default_rng((seed, chunk))
        return figure(random.poisson(1.0, (CHUNK, rows)).astype(np.float64))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, range(REPLICATES // CHUNK)))


def _interval(metric: str, value: float, drawn: Floats) -> Estimate:
    return _reflected(value, drawn) if metric == "ece" else _percentile(value, drawn)


def _percentile(value: float, drawn: Floats) -> Estimate:
    low, high = np.nanpercentile(drawn, LEVEL)
    return Estimate(value, float(low), float(high))


def _reflected(value: float, drawn: Floats) -> Estimate:
    """The basic bootstrap interval (Davison and Hinkley 1997, section 5.2), widened to hold the estimate.

    An absolute gap grows with noise, so replicates of the calibration error lie too high; reflecting them
    about the estimate takes that shift back out.
    """
    low, high = np.nanpercentile(drawn, LEVEL)
    return Estimate(value, max(0.0, min(value, 2 * value - float(high))), max(value, 2 * value - float(low)))


def wilson(hits: int, rows: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (Wilson 1927)."""
    z = 1.959964  # the normal distribution's 97.5 % quantile
    rate = hits / rows
    centre = (rate + z * z / (2 * rows)) / (1 + z * z / rows)
    half = z / (1 + z * z / rows) * np.sqrt(rate * (1 - rate) / rows + z * z / (4 * rows * rows))
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
