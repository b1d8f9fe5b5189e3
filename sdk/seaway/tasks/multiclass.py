"""One of several: an answer has the probability of each class; a label is a class's name, text or a whole number."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seaway.errors import DataUnreadable
from seaway.tasks.estimate import Array, Floats, Measured
from seaway.tasks.multiclass_metrics import ClassPredictions, brier, one_hot
from seaway.tasks.per_class import PerClass
from seaway.tasks.soft_targets import LEAST, soft_classes
from seaway.tasks.target import Target
from seaway.tasks.task import Metric, flat, names_of, outside, present, probabilities

if TYPE_CHECKING:
    from torch import Tensor

MOST_CLASSES = 10_000  # more are no classes but identities
DRAWN = 20  # classes of a confusion matrix, at most
SUM_TOLERANCE = 1e-2  # of probabilities that sum to one: half precision's error over many classes
UNKNOWN = -1  # the position of a class that the model has never seen


class Multiclass(PerClass):
    """Labels are positions in the target's classes, int64 [rows]; answers [rows, classes]; the loss is half of Brier's.

    A class that the model does not know is a label all the same: whatever it answers is wrong.
    """

    metrics = (
        Metric("log_loss", "log loss", False, ("test_log_loss", "validation_loss")),
        Metric("accuracy", "accuracy", True, ("test_accuracy", "validation_accuracy")),
        Metric("f1", "macro F1", True, ("test_f1",)),
        Metric("roc_auc", "macro ROC AUC", True, ("test_roc_auc",)),
        Metric("brier", "Brier", False, ("test_brier",)),
    )
    watched_metrics = ("log_loss", "accuracy")
    legal = "one probability for each class, which sum to 1"

    @classmethod
    def learn(cls, target: Target, values: Array, where: str) -> Target:
        """The names that there are; whole numbers in their order, all else in that of the alphabet."""
        if target.classes:
            return target
        values = present(values, target.label, where)
        wanted = "a class is named by text or a whole number. Take the task regression for other numbers."
        outside(values, _nameable, target.label, where, wanted)
        names = sorted(set(names_of(values)), key=_order)
        if not 1 < len(names) <= MOST_CLASSES:
            raise DataUnreadable(
                f"{where}: label {target.label!r} holds {len(names):,} different values; 2 to {MOST_CLASSES:,} classes "
                "can be told apart."
            )
        return replace(target, classes=tuple(names))

    def labels(self, values: Array, where: str) -> Array:
        values = present(values, self.target.label, where)
        places = {name: place for place, name in enumerate(self.target.classes)}
        found = np.array([places.get(name, UNKNOWN) for name in names_of(values)], np.int64)
        if (found == UNKNOWN).all():
            shown = ", ".join(sorted(set(names_of(values)))[:5])
            raise DataUnreadable(
                f"{where}: label {self.target.label!r} holds {shown}, none of which is a class of the model "
                f"({', '.join(self.target.classes[:5])} ...); see that it is the column that the model was trained on."
            )
        return found

    def truth(self, labels: Array) -> Floats:
        return one_hot(labels, self.width)

    def answers(self, output: Array) -> Floats:
        found = probabilities(flat(output, self.width))
        whole = np.abs(found.sum(axis=1, keepdims=True) - 1) <= SUM_TOLERANCE
        return np.where(whole, found, np.nan)

    def measured(self, answers: Floats, labels: Array) -> ClassPredictions:
        return ClassPredictions(answers, labels)

    def losses(self, answers: Floats, labels: Array) -> Floats:
        return np.minimum(brier(answers, self.truth(labels)) / 2, 1.0)

    def decided(self, answers: Floats) -> Array:
        called: Array = answers.argmax(axis=1)
        return called

    def watched(self, answers: Floats) -> dict[str, Array]:
        names = np.array(self.target.classes, object)
        return {"prediction": names[answers.argmax(axis=1)], "prediction confidence": answers.max(axis=1)}

    def facts(self, labels: Array) -> dict[str, Any]:
        counts = self.truth(labels).sum(axis=0).astype(int).tolist()
        return {"classes": dict(zip(self.target.classes, counts, strict=True)), "unknown": int((labels < 0).sum())}

    def curves(self, models: Mapping[str, Measured], model: str, labels: Array) -> dict[str, Any]:
        """The confusion matrix of the classes that there are most rows of."""
        one = models[model]
        assert isinstance(one, ClassPredictions)  # noqa: S101 - of `measured`
        often = np.argsort(-self.truth(labels).sum(axis=0), kind="stable")[:DRAWN]
        shown = np.sort(often)
        places = np.full(self.width + 1, UNKNOWN)
        places[shown] = np.arange(len(shown))
        row, column = places[labels], places[one.called]
        inside = (row >= 0) & (column >= 0)
        matrix = np.zeros((len(shown), len(shown)), int)
        np.add.at(matrix, (row[inside], column[inside]), 1)
        names = [self.target.classes[place] for place in shown]
        return {"confusion": {"threshold": None, "matrix": matrix.tolist(), "classes": names}}

    def training_labels(self, labels: Array) -> Array:
        return labels

    def loss(self, outputs: "Tensor", labels: "Tensor") -> "Tensor":
        """Rows of an unknown class, which only validation has, teach nothing and count nothing."""
        from torch.nn import functional

        return functional.cross_entropy(outputs, labels, ignore_index=UNKNOWN, reduction="sum")

    def answer(self, outputs: "Tensor") -> "Tensor":
        import torch

        return torch.softmax(outputs, 1)

    def outputs(self, answers: "Tensor") -> "Tensor":
        """But for a number that is added to all of a row's, which no loss sees."""
        return answers.clamp(min=LEAST).log()

    def soft_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        return soft_classes(outputs, teacher, temperature)

    def validation(self, outputs: "Tensor", labels: "Tensor") -> dict[str, float]:
        return {"validation_accuracy": float((outputs.argmax(1) == labels).double().mean())}


def _nameable(values: Array) -> Array:
    return values == np.floor(values) if values.dtype.kind == "f" else np.ones(len(values), bool)


def _order(name: str) -> tuple[int, float, str]:
    """Whole numbers by value before words."""
    digits = name.removeprefix("-")
    return (0, int(name), "") if digits.isdecimal() and digits.isascii() else (1, 0, name)
