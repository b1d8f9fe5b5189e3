"""A number that a share of the labels lies below: `quantile:0.9`, learnt and judged by the pinball loss.

Koenker and Bassett 1978, "Regression Quantiles": a label above the answer costs the share for each unit, one below it
the rest, so the answer that costs least is the quantile.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from seaway.errors import InvalidSpec
from seaway.tasks.estimate import Array, Floats, Influences, Measured, mean
from seaway.tasks.regression import NumberPredictions, Regression
from seaway.tasks.target import Target
from seaway.tasks.task import Metric

if TYPE_CHECKING:
    from torch import Tensor


class Quantile(Regression):
    """As `Regression`, but the answer is a quantile of the label.

    The judge's loss is the pinball loss as a share of the span of the training labels, clipped at 1.

    Raises:
        InvalidSpec: the task's name says no share between 0 and 1.
    """

    metrics = (
        Metric("pinball", "pinball loss", False, ("test_pinball", "validation_pinball")),
        Metric("mae", "MAE", False, ("test_mae",)),
    )
    watched_metrics = ("pinball",)
    naive_name = "quantile"
    has_argument = True

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.share = _share(target.task)

    def measured(self, answers: Floats, labels: Array) -> "QuantilePredictions":
        return QuantilePredictions(answers, labels, self.share)

    def losses(self, answers: Floats, labels: Array) -> Floats:
        return np.minimum(pinball(answers, labels, self.share) / self._fact("span"), 1.0)

    def naive(self, labels: Array, groups: Array, places: Array) -> Floats:
        """The quantile of each group of the training rows."""
        overall = float(np.quantile(labels, self.share))
        of = {group: float(np.quantile(labels[groups == group], self.share)) for group in np.unique(groups)}
        return np.array([of.get(place, overall) for place in places], np.float64)

    def curves(self, models: Mapping[str, Measured], model: str, labels: Array) -> dict[str, Any]:
        one = models[model]
        assert isinstance(one, NumberPredictions)  # noqa: S101 - of `measured`
        return {"errors": one.histogram()}

    def told(self, labels: Array) -> str:
        return f"{self.share:.0%} of the labels below {np.quantile(labels, self.share):.4g} {self.target.unit}".rstrip()

    def loss(self, outputs: "Tensor", labels: "Tensor") -> "Tensor":
        """Pinball losses in deviations of the training labels."""
        import torch

        above = labels - outputs.squeeze(1)
        return torch.maximum(self.share * above, (self.share - 1) * above).sum()

    def validation(self, outputs: "Tensor", labels: "Tensor") -> dict[str, float]:
        """The loss in the label's unit, and the share of labels that are not above the answer: near the quantile's."""
        covered = (labels <= outputs.squeeze(1)).double().mean()
        loss = float(self.loss(outputs.double(), labels.double())) / max(1, len(labels))
        return {"validation_pinball": loss * self._fact("deviation"), "validation_coverage": float(covered)}


class QuantilePredictions(NumberPredictions):
    """Predicted quantiles of rows with known labels, both of shape [rows]."""

    bounds = {"pinball": (0.0, np.inf), "mae": (0.0, np.inf)}  # noqa: RUF012 - as the class above has it

    def __init__(self, answers: Floats, labels: Floats, share: float) -> None:
        super().__init__(answers, labels)
        self.share = share

    @cached_property
    def influences(self) -> Influences:
        losses = pinball(self.answers, self.labels, self.share)
        return {"pinball": mean(losses), "mae": mean(np.abs(self.errors))}


def pinball(answers: Floats, labels: Array, share: float) -> Floats:
    """The loss of each row, in the label's unit, NaN where there is no answer."""
    above = labels - answers
    return np.maximum(share * above, (share - 1) * above)


def _share(task: str) -> float:
    name, _, said = task.partition(":")
    try:
        share = float(said)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise InvalidSpec(f"The task {task!r} says no share between 0 and 1; write {name}:0.9 for the 90 % quantile.")
    return share
