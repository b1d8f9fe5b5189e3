"""What trees learn of some rows: a second opinion that needs no rate, no scale and no good start.

Extremely randomised trees (Geurts, Ernst and Wehenkel 2006), because they take numbers as they are.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from seaway.diagnosis.sample import Array, Floats, Kind, Rows

TREES = 30
FOLDS = 3
FEW = 3 * FOLDS  # rows of a class below which it is left out
ROWS = 1200


@dataclass(frozen=True)
class Probe:
    """Rows that trees can learn, and how well they do on those that they have not seen."""

    features: Floats
    labels: Array
    kind: Kind

    @classmethod
    def of(cls, rows: Rows, kind: Kind, count: int = ROWS) -> "Probe":
        """So many rows; those of classes too rare to be cross-validated are left out."""
        part = rows.some(count)
        labels = part.truth
        kept = np.ones(len(labels), bool)
        if kind is not Kind.NUMBERS:
            values, counts = np.unique(labels, return_counts=True)
            kept = np.isin(labels, values[counts >= FEW])
        return cls(part.features[kept], labels[kept], kind)

    @property
    def usable(self) -> bool:
        """Whether there is something to be learnt and enough to see it."""
        varied = self.features.shape[1] > 0 and bool((self.features.std(axis=0) > 0).any())
        return varied and len(self.labels) >= 2 * FEW and len(np.unique(self.labels)) > 1

    @cached_property
    def known(self) -> float:
        """The score on the rows' own labels, by all features."""
        return self.score()

    def score(self, labels: Array | None = None, columns: list[int] | None = None, trees: int = TREES) -> float:
        """Cross-validated: of classes the mean share that is right of each, of numbers R²; 0 for what knows nothing.

        Args:
            labels: To be learnt instead of the rows' own.
            columns: Features that are seen; all where none are named.
        """
        wanted = self.labels if labels is None else labels
        features = self.features if columns is None else self.features[:, columns]
        return scored(self.predicted(features, wanted, trees), wanted, self.kind)

    def predicted(self, features: Floats, labels: Array, trees: int = TREES) -> Array:
        """What the trees say of each row without having seen it: [rows]."""
        from sklearn.model_selection import cross_val_predict

        found: Array = cross_val_predict(_trees(self.kind, trees), features, labels, cv=_folds(self.kind))
        return found

    def probabilities(self) -> tuple[Floats, Array]:
        """Of each class by trees that have not seen the row, and the rows' places in the classes."""
        from sklearn.model_selection import cross_val_predict

        _, places = np.unique(self.labels, return_inverse=True)
        model = _trees(self.kind, TREES)
        found: Floats = cross_val_predict(model, self.features, places, cv=_folds(self.kind), method="predict_proba")
        return found, places

    def on(self, other: "Probe") -> float:
        """The score on other rows, for which all of these are learnt."""
        model = _trees(self.kind, TREES).fit(self.features, self.labels)
        return scored(model.predict(other.features), other.labels, self.kind)


def scored(found: Array, wanted: Array, kind: Kind) -> float:
    """0 for a guess that knows no row, 1 for what is right everywhere."""
    if kind is Kind.NUMBERS:
        spread = float(((wanted - wanted.mean()) ** 2).mean())
        return 1 - float(((wanted - found) ** 2).mean()) / spread if spread else 0.0
    classes = np.unique(wanted)
    right = float(np.mean([(found[wanted == one] == one).mean() for one in classes]))
    return (right - 1 / len(classes)) / (1 - 1 / len(classes)) if len(classes) > 1 else 0.0


def _trees(kind: Kind, count: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    if kind is Kind.NUMBERS:
        return ExtraTreesRegressor(count, min_samples_leaf=3, random_state=0)
    return ExtraTreesClassifier(count, min_samples_leaf=3, class_weight="balanced", random_state=0)


def _folds(kind: Kind) -> Any:
    from sklearn.model_selection import KFold, StratifiedKFold

    made = KFold if kind is Kind.NUMBERS else StratifiedKFold
    return made(FOLDS, shuffle=True, random_state=0)
