"""Any of several: an answer has the probability that each label holds; a row's label is a list of their names."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seaway.errors import DataUnreadable
from seaway.tasks.estimate import Array, Floats
from seaway.tasks.multiclass_metrics import CALLED, TagPredictions
from seaway.tasks.per_class import PerClass
from seaway.tasks.soft_targets import LEAST, soft_binary
from seaway.tasks.target import Target
from seaway.tasks.task import Metric, flat, present, probabilities

if TYPE_CHECKING:
    from torch import Tensor


class Multilabel(PerClass):
    """Labels are bool [rows, names], answers probabilities [rows, names]; the loss is the mean of Brier's.

    Names that the model does not know are passed over: it cannot have said that they hold.
    """

    metrics = (
        Metric("log_loss", "log loss", False, ("test_log_loss", "validation_loss")),
        Metric("f1", "macro F1", True, ("test_f1",)),
        Metric("roc_auc", "macro ROC AUC", True, ("test_roc_auc",)),
        Metric("brier", "Brier", False, ("test_brier",)),
    )
    watched_metrics = ("log_loss", "f1")
    legal = "one probability in [0, 1] for each label"

    @classmethod
    def learn(cls, target: Target, values: Array, where: str) -> Target:
        """The names that there are, in the order of the alphabet."""
        if target.classes:
            return target
        names = sorted({name for row in _rows(values, target.label, where) for name in row})
        if not names:
            raise DataUnreadable(
                f"{where}: no row of label {target.label!r} names anything; there is nothing to learn."
            )
        return replace(target, classes=tuple(names))

    def labels(self, values: Array, where: str) -> Array:
        rows = _rows(values, self.target.label, where)
        found = np.array([[name in row for name in self.target.classes] for row in rows], bool)
        if not found.any() and any(rows):
            shown = ", ".join(sorted({name for row in rows for name in row})[:5])
            raise DataUnreadable(
                f"{where}: label {self.target.label!r} names {shown}, none of which the model knows "
                f"({', '.join(self.target.classes[:5])} ...)."
            )
        return found

    def truth(self, labels: Array) -> Floats:
        return labels.astype(np.float64)

    def answers(self, output: Array) -> Floats:
        return probabilities(flat(output, self.width))

    def measured(self, answers: Floats, labels: Array) -> TagPredictions:
        return TagPredictions(answers, labels)

    def losses(self, answers: Floats, labels: Array) -> Floats:
        loss: Floats = np.square(answers - labels).mean(axis=1)
        return loss

    def decided(self, answers: Floats) -> Array:
        called: Array = answers >= CALLED
        return called

    def watched(self, answers: Floats) -> dict[str, Array]:
        return {f"prediction {name}": answers[:, place] for place, name in enumerate(self.target.classes)}

    def facts(self, labels: Array) -> dict[str, Any]:
        return {"classes": dict(zip(self.target.classes, labels.sum(axis=0).tolist(), strict=True))}

    def training_labels(self, labels: Array) -> Array:
        return labels.astype(np.float32)

    def loss(self, outputs: "Tensor", labels: "Tensor") -> "Tensor":
        from torch.nn import functional

        return functional.binary_cross_entropy_with_logits(outputs, labels, reduction="sum") / self.width

    def answer(self, outputs: "Tensor") -> "Tensor":
        import torch

        return torch.sigmoid(outputs)

    def outputs(self, answers: "Tensor") -> "Tensor":
        return answers.logit(LEAST)

    def soft_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        return soft_binary(outputs, teacher, temperature) / self.width


def _rows(values: Array, label: str, where: str) -> list[set[str]]:
    values = present(values, label, where)
    if strange := [
        value for value in values.tolist() if isinstance(value, str | bytes) or not hasattr(value, "__len__")
    ]:
        raise DataUnreadable(
            f"{where}: label {label!r} holds {strange[0]!r}; a multilabel label is a list of names. Split it where the "
            "rows are made."
        )
    return [{str(name) for name in row} for row in values.tolist()]
