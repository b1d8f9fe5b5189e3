"""Labels that are likely wrong, by confident learning (Northcutt et al., 2021).

A model that has not seen them doubts them.
A class's threshold is the mean probability that the model gives it where it is the label. A row whose probability of
another class is above that class's threshold is counted as that class; what is counted off the diagonal is doubted.
"""

from dataclasses import dataclass

import numpy as np

from seaway.errors import DataUnreadable
from seaway.labeling.votes import Floats, Whole


@dataclass(frozen=True)
class LabelErrors:
    """What is doubted.

    Attributes:
        rows: Places of the doubted rows, the surest first.
        likely: The class that each of them likely is.
        doubt: By how much the model prefers it to the label, in probability.
        counts: Rows by label and by the class that they are counted as, [classes, classes].
    """

    rows: Whole
    likely: Whole
    doubt: Floats
    counts: Whole

    @property
    def share(self) -> float:
        """Of the rows that are counted, those whose label is likely wrong."""
        return float(1 - np.trace(self.counts) / max(self.counts.sum(), 1))


def label_errors(probabilities: Floats, labels: Whole) -> LabelErrors:
    """Doubt the labels of rows by probabilities of a model that was not trained on them.

    Args:
        probabilities: Of each class, [rows, classes], as of a cross-validation.
        labels: Places of classes, [rows].

    Raises:
        DataUnreadable: the shapes do not fit, a probability is none, or a class has no row.
    """
    _check(probabilities, labels)
    classes = probabilities.shape[1]
    threshold = np.array([probabilities[labels == one, one].mean() for one in range(classes)])
    above = probabilities >= threshold
    counted = above.any(axis=1)
    called = np.where(above, probabilities, -1.0).argmax(axis=1)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (labels[counted], called[counted]), 1)
    wrong = np.flatnonzero(counted & (called != labels))
    doubt = probabilities[wrong, called[wrong]] - probabilities[wrong, labels[wrong]]
    order = np.argsort(-doubt, kind="stable")
    return LabelErrors(wrong[order], called[wrong][order], doubt[order], counts)


def _check(probabilities: Floats, labels: Whole) -> None:
    if probabilities.ndim != 2 or len(probabilities) != len(labels) or not len(labels):  # noqa: PLR2004
        raise DataUnreadable(f"Probabilities of shape {probabilities.shape} do not fit {len(labels)} labels.")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataUnreadable("A probability is missing or outside [0, 1]; predict the rows anew.")
    classes = probabilities.shape[1]
    if lacking := sorted(set(range(classes)) - set(labels.tolist())):
        raise DataUnreadable(f"No row is labelled as class {lacking[0]} of {classes}; leave the class out.")
