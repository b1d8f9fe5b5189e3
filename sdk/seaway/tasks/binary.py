"""One of two: the answer is the probability of the second class; a label is 0 or 1, or one of two names."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seaway.errors import DataUnreadable
from seaway.tasks.binary_metrics import Predictions, area, reliability
from seaway.tasks.estimate import Array, Estimate, Floats, Measured
from seaway.tasks.soft_targets import LEAST, soft_binary
from seaway.tasks.target import Target
from seaway.tasks.task import Metric, Task, flat, names_of, outside, present, probabilities

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = 2
CURVE_POINTS = 100  # enough to draw, few enough for a dashboard
THRESHOLD = 0.5  # of the confusion matrix: the cheaper error is as dear as the other


class Binary(Task):
    """Labels are bool [rows], answers probabilities [rows]; the loss of a row is Brier's."""

    metrics = (
        Metric("roc_auc", "ROC AUC", True, ("test_roc_auc", "validation_auc")),
        Metric("pr_auc", "PR AUC", True, ("test_pr_auc",)),
        Metric("log_loss", "log loss", False, ("test_log_loss", "validation_loss")),
        Metric("brier", "Brier", False, ("test_brier",)),
        Metric("ece", "ECE", False, ("test_ece",)),
    )
    watched_metrics = ("roc_auc", "log_loss")
    output = "probability"
    legal = "one probability in [0, 1], or two of which the last is taken"

    @property
    def width(self) -> int:
        return 1

    @classmethod
    def learn(cls, target: Target, values: Array, where: str) -> Target:
        """Two names in the order of the alphabet, or none where labels are 0 and 1."""
        values = present(values, target.label, where)
        if target.classes or values.dtype.kind in "biuf":
            return target
        names = sorted(set(names_of(values)))
        if len(names) != CLASSES:
            raise DataUnreadable(
                f"{where}: label {target.label!r} holds {len(names)} names ({', '.join(names[:5])}), a binary label "
                "two; take the task multiclass for more."
            )
        return replace(target, classes=tuple(names))

    @property
    def output_unit(self) -> str:
        return f"probability of {self.target.label} = {self.target.classes[1] if self.target.classes else 1}"

    def labels(self, values: Array, where: str) -> Array:
        values, target = present(values, self.target.label, where), self.target
        if target.classes:
            names = np.array(names_of(values), object)
            wanted = f"of this binary label's two names {' and '.join(target.classes)} one is wanted."
            outside(names, lambda found: np.isin(found.astype(str), target.classes), target.label, where, wanted)
            return np.asarray(names == target.classes[1], bool)
        wanted = "a binary label is 0 or 1. Drop those rows, or take the task multiclass or regression."
        outside(values, _zero_or_one, target.label, where, wanted)
        return values.astype(bool)

    def truth(self, labels: Array) -> Floats:
        return labels.astype(np.float64)[:, None]

    def answers(self, output: Array) -> Floats:
        """One value, or the last of two."""
        array = np.asarray(output, np.float64).reshape(len(output), -1)
        return probabilities(flat(array[:, 1:] if array.shape[1] == CLASSES else array, 1))[:, 0]

    def measured(self, answers: Floats, labels: Array) -> Predictions:
        return Predictions(answers, labels)

    def losses(self, answers: Floats, labels: Array) -> Floats:
        return np.square(answers - labels)

    def decided(self, answers: Floats) -> Array:
        called: Array = answers >= THRESHOLD
        return called

    def watched(self, answers: Floats) -> dict[str, Array]:
        return {"prediction": answers}

    def in_order_of(self, other: Task, answers: Floats) -> Floats:
        turned = self.target.classes != other.target.classes and self.target.classes == other.target.classes[::-1]
        return 1 - answers if turned else answers

    def figure(self, answers: Floats, labels: Array) -> Estimate | None:
        return area(Predictions(answers, labels))

    def facts(self, labels: Array) -> dict[str, Any]:
        return {"positives": int(labels.sum()), "rate": float(labels.mean()), "positive": self.positive_name}

    def told(self, labels: Array) -> str:
        return f"{labels.mean():.1%} positive"

    @property
    def positive_name(self) -> str:
        """The positive class in words: its own name, or the label's where classes are 0 and 1."""
        return self.target.classes[1] if self.target.classes else self.target.label

    def slice_facts(self, answers: Floats, labels: Array) -> dict[str, float]:
        return {"rate": round(float(labels.mean()), 6), "predicted": round(float(answers.mean()), 6)}

    def measurable(self, labels: Array) -> str:
        if labels.all() or not labels.any():
            return f"every row has {self.target.label} = {int(labels[0])}; take a longer period"
        return ""

    def support(self, labels: Array) -> int:
        return min(int(labels.sum()), int((~labels).sum()))

    def curves(self, models: Mapping[str, Measured], model: str, labels: Array) -> dict[str, Any]:
        known = {name: one for name, one in models.items() if isinstance(one, Predictions)}
        names = list(self.target.classes) or [f"not {self.target.label}", self.target.label]
        return {
            "reliability": reliability(known[model]),
            "roc": {name: _roc(one) for name, one in known.items()},
            "precision_recall": {name: _precision_recall(one) for name, one in known.items()},
            "confusion": {**_confusion(known[model]), "classes": names},
        }

    def training_labels(self, labels: Array) -> Array:
        return labels.astype(np.float32)

    def loss(self, outputs: "Tensor", labels: "Tensor") -> "Tensor":
        from torch.nn import functional

        return functional.binary_cross_entropy_with_logits(outputs.squeeze(1), labels, reduction="sum")

    def answer(self, outputs: "Tensor") -> "Tensor":
        import torch

        return torch.sigmoid(outputs)

    def outputs(self, answers: "Tensor") -> "Tensor":
        return answers.logit(LEAST)

    def soft_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        return soft_binary(outputs, teacher, temperature)

    def validation(self, outputs: "Tensor", labels: "Tensor") -> dict[str, float]:
        return {"validation_auc": auc(outputs.squeeze(1), labels)}


def _zero_or_one(values: Array) -> Array:
    return np.isin(values.astype(np.float64), [0, 1]) if values.dtype.kind in "biuf" else _bools(values)


def _bools(values: Array) -> Array:
    return np.array([value in (0, 1) and not isinstance(value, str) for value in values.tolist()], bool)


def auc(scores: "Tensor", labels: "Tensor") -> float:
    """Area under the ROC curve as the Mann-Whitney statistic, ties counted half; 0.5 where there is one class only."""
    import torch

    positives = labels.bool()
    count, others = int(positives.sum()), int((~positives).sum())
    if count == 0 or others == 0:
        return 0.5
    _, inverse, sizes = torch.unique(scores, return_inverse=True, return_counts=True)
    ranks = sizes.cumsum(0).double() - (sizes.double() - 1) / 2
    rank_sum = float(ranks[inverse][positives].sum())
    return (rank_sum - count * (count + 1) / 2) / (count * others)


def _roc(model: Predictions) -> dict[str, list[float]]:
    ranking = model.ranking
    false, true = (np.append(0.0, count / count[-1]) for count in (ranking.false_alarms, ranking.hits))
    kept = _spread(false + true)
    return {
        "false_positive_rate": _rounded(false[kept]),
        "true_positive_rate": _rounded(true[kept]),
        "threshold": _rounded(np.append(1.0, ranking.threshold)[kept]),
    }


def _precision_recall(model: Predictions) -> dict[str, list[float]]:
    ranking = model.ranking
    recall = np.append(0.0, ranking.hits / ranking.hits[-1])
    precision = np.append(1.0, ranking.hits / (ranking.hits + ranking.false_alarms))  # 1 where nothing is called yet
    kept = _spread(recall)
    return {"precision": _rounded(precision[kept]), "recall": _rounded(recall[kept])}


def _spread(along: Floats) -> npt.NDArray[np.intp]:
    """Indices of at most `CURVE_POINTS` points, evenly spread along an ascending coordinate, both ends included."""
    places = np.searchsorted(along, np.linspace(along[0], along[-1], CURVE_POINTS))
    places[-1] = len(along) - 1
    return np.unique(places)


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 5) for value in values]


def _confusion(model: Predictions) -> dict[str, Any]:
    called = model.probabilities >= THRESHOLD
    matrix = [
        [int((of_class & ~called).sum()), int((of_class & called).sum())] for of_class in (~model.labels, model.labels)
    ]
    return {"threshold": THRESHOLD, "matrix": matrix}
