"""Figures with their intervals, for every task alike.

An interval comes from the rows' influences on a figure, its derivatives by the weight of each row: the infinitesimal
jackknife of Jaeckel 1972 (Efron 1982, The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6), which reads
all rows once and draws nothing. For a mean it is the usual interval; for the ROC AUC it is the variance of DeLong,
DeLong and Clarke-Pearson 1988. The difference of two models has the difference of their influences, so it is paired.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

SMALL = 0.1
Z = 1.959964  # the normal distribution's 97.5 % quantile

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Influences = Mapping[str, tuple[float, Floats]]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {name: rounded(value) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


def rounded(value: float) -> float:
    """To six digits after the point, or as many that count where it is small."""
    return round(value, 6) if abs(value) >= SMALL else float(f"{value:.6g}")


class Measured(ABC):
    """One model's answers, held against the labels of the same rows."""

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}  # of a figure that is not in [0, 1]

    @property
    @abstractmethod
    def influences(self) -> Influences:
        """Each figure, and its derivative by the weight of each row, of shape [rows]."""

    def figures(self) -> dict[str, Estimate]:
        """The figures by name."""
        return {name: interval(*figure, *self.bounds.get(name, (0.0, 1.0))) for name, figure in self.influences.items()}


def interval(value: float, influences: Floats, least: float = -np.inf, most: float = np.inf) -> Estimate:
    """A figure's interval from its influences, cut to what the figure can be."""
    half = Z * float(np.sqrt(influences @ influences))
    return Estimate(value, max(least, value - half), min(most, value + half))


def mean(values: Floats) -> tuple[float, Floats]:
    """The mean, and its influences."""
    value = float(values.mean())
    return value, (values - value) / len(values)


Figures = dict[str, dict[str, Estimate]]


def estimates(models: Mapping[str, Measured], reference: str) -> tuple[Figures, Figures]:
    """The figures of every model, and the paired differences `reference` minus each other model."""
    figures = {name: model.figures() for name, model in models.items()}
    first = models[reference].influences
    differences = {
        name: {metric: _difference(first[metric], model.influences[metric]) for metric in first}
        for name, model in models.items()
        if name != reference
    }
    return figures, differences


def _difference(one: tuple[float, Floats], other: tuple[float, Floats]) -> Estimate:
    return interval(one[0] - other[0], one[1] - other[1])
