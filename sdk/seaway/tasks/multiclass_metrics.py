"""Figures of the probabilities of several classes, of which one or any number is true, and their influences."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np

from seaway.tasks.binary_metrics import CLIP, Predictions
from seaway.tasks.estimate import Array, Floats, Influences, Measured, mean

CALLED = 0.5  # of a label that may hold or not: the cheaper error is as dear as the other


class ClassPredictions(Measured):
    """Probabilities [rows, classes] of rows that are of one class each; a position of -1 is a class unknown to all."""

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"log_loss": (0.0, np.inf)}

    def __init__(self, probabilities: Floats, labels: Array) -> None:
        self.probabilities, self.labels = probabilities, labels
        self.called = probabilities.argmax(axis=1)

    @cached_property
    def influences(self) -> Influences:
        rows = np.arange(len(self.labels))
        given = np.where(self.labels >= 0, self.probabilities[rows, self.labels], 0.0)
        truth = one_hot(self.labels, self.probabilities.shape[1])
        called = one_hot(self.called, truth.shape[1])
        return {
            "log_loss": mean(-np.log(np.maximum(given, CLIP))),
            "accuracy": mean((self.called == self.labels).astype(np.float64)),
            "f1": f1(called, truth),
            **roc_auc(self.probabilities, truth),
            "brier": mean(brier(self.probabilities, truth) / 2),
        }


class TagPredictions(Measured):
    """Probabilities [rows, labels] of rows that any of the labels, bool [rows, labels], hold for."""

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"log_loss": (0.0, np.inf)}

    def __init__(self, probabilities: Floats, labels: Array) -> None:
        self.probabilities, self.labels = probabilities, labels.astype(np.float64)
        self.called = (probabilities >= CALLED).astype(np.float64)

    @cached_property
    def influences(self) -> Influences:
        clipped = np.clip(np.where(self.labels > 0, self.probabilities, 1 - self.probabilities), CLIP, 1.0)
        return {
            "log_loss": mean(-np.log(clipped).mean(axis=1)),
            "f1": f1(self.called, self.labels),
            **roc_auc(self.probabilities, self.labels),
            "brier": mean(np.square(self.probabilities - self.labels).mean(axis=1)),
        }


def one_hot(positions: Array, count: int) -> Floats:
    """[rows, count]; a row whose position is -1 has none."""
    held: Array = positions[:, None] == np.arange(count)
    return held.astype(np.float64)


def brier(probabilities: Floats, truth: Floats) -> Floats:
    """The sum of squares of each row, in [0, 2] where probabilities sum to 1; a class unknown to all was given 0."""
    squares: Floats = np.square(probabilities - truth).sum(axis=1) + 1 - truth.sum(axis=1)
    return squares


def f1(called: Floats, truth: Floats) -> tuple[float, Floats]:
    """The mean of the classes' F1, of those that are called or happen; its influences."""
    both, either = called * truth, called + truth
    seen = either.sum(axis=0) > 0
    if not seen.any():
        return 0.0, np.zeros(len(truth))
    values = 2 * both[:, seen].sum(axis=0) / either[:, seen].sum(axis=0)
    influences = (2 * both[:, seen] - values * either[:, seen]) / either[:, seen].sum(axis=0)
    return float(values.mean()), influences.mean(axis=1)


def roc_auc(probabilities: Floats, truth: Floats) -> dict[str, tuple[float, Floats]]:
    """The mean of the ROC AUC of each class against all others; none where no class has both."""
    areas = list(_areas(probabilities, truth.astype(bool)))
    if not areas:
        return {}
    return {"roc_auc": (float(np.mean([value for value, _ in areas])), np.mean([row for _, row in areas], axis=0))}


def _areas(probabilities: Floats, truth: Array) -> Iterator[tuple[float, Floats]]:
    for place in range(truth.shape[1]):
        labels = truth[:, place]
        if labels.any() and not labels.all():
            yield Predictions(probabilities[:, place], labels).roc_auc()
