"""A number: the answer is its expected value in the label's unit."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.tasks.estimate import Array, Floats, Influences, Measured, Z, mean
from seaway.tasks.target import Target
from seaway.tasks.task import Metric, Task, flat, outside, present

if TYPE_CHECKING:
    from torch import Tensor

ENDS = (0.05, 0.95)  # quantiles of the training labels; what lies between them is the span
BINS = 15  # of equal mass, in the figure of predicted and observed
ERROR_BINS = 30
ERROR_ENDS = (0.5, 99.5)  # percent of the errors between which they are drawn


class Regression(Task):
    """Labels and answers are numbers [rows].

    The judge's loss is the absolute error as a share of the span of the training labels, clipped at 1: no unit is in
    it, and no single row can decide.
    """

    metrics: ClassVar[tuple[Metric, ...]] = (
        Metric("rmse", "RMSE", False, ("test_rmse", "validation_rmse")),
        Metric("mae", "MAE", False, ("test_mae",)),
        Metric("r2", "R²", True, ("test_r2",)),
    )
    watched_metrics: ClassVar[tuple[str, ...]] = ("rmse", "mae")
    naive_name = "mean"
    output = "prediction"
    legal = "one finite number"

    @property
    def width(self) -> int:
        return 1

    @property
    def output_unit(self) -> str:
        return self.target.unit

    @classmethod
    def learn(cls, target: Target, values: Array, where: str) -> Target:
        """Mean, deviation and span of the labels, where they are not known."""
        if target.facts:
            return target
        labels = _numbers(values, target.label, where)
        low, high = np.quantile(labels, ENDS)
        span = float(high - low) or float(np.ptp(labels))
        if not span:
            raise DataUnreadable(f"{where}: every label {target.label!r} is {labels[0]:g}; there is nothing to learn.")
        facts = {"mean": float(labels.mean()), "deviation": float(labels.std()), "span": span}
        return replace(target, facts=facts)

    def labels(self, values: Array, where: str) -> Array:
        return _numbers(values, self.target.label, where)

    def truth(self, labels: Array) -> Floats:
        return labels[:, None]

    def answers(self, output: Array) -> Floats:
        found = flat(output, 1)[:, 0]
        return np.where(np.isfinite(found), found, np.nan)

    def measured(self, answers: Floats, labels: Array) -> "NumberPredictions":
        return NumberPredictions(answers, labels)

    def losses(self, answers: Floats, labels: Array) -> Floats:
        return np.minimum(np.abs(answers - labels) / self._fact("span"), 1.0)

    def watched(self, answers: Floats) -> dict[str, Array]:
        return {"prediction": answers}

    def beside(self, other: Task) -> "Regression":
        """With the other's span."""
        super().beside(other)
        facts = {**self.target.facts, "span": other.target.facts["span"]} if "span" in other.target.facts else {}
        return type(self)(replace(self.target, facts=facts or self.target.facts))

    def facts(self, labels: Array) -> dict[str, Any]:
        return {"mean": float(labels.mean()), "deviation": float(labels.std()), "unit": self.target.unit}

    def told(self, labels: Array) -> str:
        return f"mean {labels.mean():.4g} {self.target.unit}".rstrip()

    def slice_facts(self, answers: Floats, labels: Array) -> dict[str, float]:
        return {"rate": round(float(labels.mean()), 6), "predicted": round(float(answers.mean()), 6)}

    def curves(self, models: Mapping[str, Measured], model: str, labels: Array) -> dict[str, Any]:
        one = models[model]
        assert isinstance(one, NumberPredictions)  # noqa: S101 - of `measured`
        return {"predicted_observed": one.bins(), "errors": one.histogram()}

    def training_labels(self, labels: Array) -> Array:
        """Standardised: a network's outputs are of the order of one."""
        return ((labels - self._fact("mean")) / self._fact("deviation")).astype(np.float32)

    def loss(self, outputs: "Tensor", labels: "Tensor") -> "Tensor":
        """Squared errors in deviations of the training labels."""
        from torch.nn import functional

        return functional.mse_loss(outputs.squeeze(1), labels, reduction="sum")

    def answer(self, outputs: "Tensor") -> "Tensor":
        return outputs * self._fact("deviation") + self._fact("mean")

    def outputs(self, answers: "Tensor") -> "Tensor":
        return (answers - self._fact("mean")) / self._fact("deviation")

    def soft_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        """Squared differences to the teacher's; a number has no temperature."""
        return (outputs - teacher).square().sum()

    def validation(self, outputs: "Tensor", labels: "Tensor") -> dict[str, float]:
        error = (outputs.squeeze(1).double() - labels.double()).square().mean().sqrt()
        return {"validation_rmse": float(error) * self._fact("deviation")}

    def _fact(self, name: str) -> float:
        try:
            return self.target.facts[name]
        except KeyError:
            raise InvalidSpec(
                f"The target of {self.target.label!r} says no {name} of the training labels, so errors have no scale; "
                "write the target that seaway.tasks.named gives into the signature."
            ) from None


class NumberPredictions(Measured):
    """Predicted numbers of rows with known ones, both of shape [rows]."""

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "rmse": (0.0, np.inf),
        "mae": (0.0, np.inf),
        "r2": (-np.inf, 1.0),
    }

    def __init__(self, answers: Floats, labels: Floats) -> None:
        self.answers, self.labels = answers, labels
        self.errors = answers - labels

    @cached_property
    def influences(self) -> Influences:
        squares = np.square(self.errors)
        value, influences = mean(squares)
        rmse = float(np.sqrt(value))
        return {
            "rmse": (rmse, influences / (2 * rmse) if rmse else np.zeros_like(influences)),
            "mae": mean(np.abs(self.errors)),
            "r2": self._r2(squares),
        }

    def _r2(self, squares: Floats) -> tuple[float, Floats]:
        """The share of the variance that is explained; 0 where there is none to explain."""
        deviations = np.square(self.labels - self.labels.mean())
        total = float(deviations.sum())
        if not total:
            return 0.0, np.zeros_like(squares)
        unexplained = float(squares.sum()) / total
        return 1 - unexplained, (unexplained * deviations - squares) / total

    def bins(self) -> list[dict[str, float]]:
        """Rows in bins of equal mass by prediction: mean prediction, mean label with its 95 % interval, rows."""
        edges = np.quantile(self.answers, np.linspace(0, 1, BINS + 1)[1:-1])
        places = np.searchsorted(edges, self.answers, side="right")
        return [self._bin(places == place) for place in np.unique(places)]

    def _bin(self, rows: Array) -> dict[str, float]:
        observed = self.labels[rows]
        half = Z * float(observed.std()) / np.sqrt(len(observed))
        middle = float(observed.mean())
        predicted = float(self.answers[rows].mean())
        return {
            "predicted": predicted,
            "observed": middle,
            "low": middle - half,
            "high": middle + half,
            "count": len(observed),
        }

    def histogram(self) -> dict[str, list[float]]:
        """Errors, predicted minus observed, without the utmost of them: edges, and rows between each two."""
        low, high = np.percentile(self.errors, ERROR_ENDS)
        counts, edges = np.histogram(self.errors, ERROR_BINS, (low, high if high > low else low + 1))
        return {"edges": edges.tolist(), "counts": counts.tolist()}


def _numbers(values: Array, label: str, where: str) -> Floats:
    values = present(values, label, where)
    if values.dtype.kind not in "biuf":
        raise DataUnreadable(
            f"{where}: label {label!r} holds {values[0]!r}; regression wants numbers; take the task multiclass."
        )
    numbers = values.astype(np.float64)
    outside(numbers, np.isfinite, label, where, "regression wants finite numbers. Drop those rows.")
    return numbers
