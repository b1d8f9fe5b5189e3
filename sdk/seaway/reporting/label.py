"""The training rows' label, and how much one number tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.float64]
    Array = npt.NDArray[Any]

PARTS = 3  # classes, or thirds of numbers, that a figure tells apart


class Label(Protocol):
    """What `measure` is called, how much numbers tell, and the rows to draw apart, as masks by title."""

    @property
    def measure(self) -> str: ...

    def strength(self, values: "Numbers", known: "Array") -> tuple[float, float] | None:
        """The measure for rows of `known`, whose values are given, and its distance from telling nothing."""
        ...

    def parts(self) -> Mapping[str, "Array"]: ...


@dataclass(frozen=True)
class OneOfTwo:
    """0 and 1, or one of two names: the ROC AUC of a number as the score."""

    positive: "Array"
    names: tuple[str, str]
    measure: str = "ROC AUC alone"

    def strength(self, values: "Numbers", known: "Array") -> tuple[float, float] | None:
        import numpy as np

        labels = self.positive[known]
        negatives, positives = (np.sort(values[labels == label]) for label in (False, True))
        if not len(positives) or not len(negatives):
            return None
        # the share of pairs in order, ties counting half (Hanley and McNeil 1982)
        below, not_above = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))
        area = float((below + not_above).mean() / (2 * len(negatives)))
        return area, area - 0.5

    def parts(self) -> "Mapping[str, Array]":
        return {self.names[0]: ~self.positive, self.names[1]: self.positive}


@dataclass(frozen=True)
class OneOfMany:
    """Names: the share of the ranks' variance that the classes explain (Kruskal and Wallis 1952)."""

    codes: "Array"
    names: tuple[str, ...]
    measure: str = "explained by classes"

    def strength(self, values: "Numbers", known: "Array") -> tuple[float, float] | None:
        import numpy as np

        ranks, codes = _ranks(values), self.codes[known]
        total = float(np.square(ranks - ranks.mean()).sum())
        if not total:
            return None
        counts = np.bincount(codes)
        means = np.bincount(codes, ranks)[counts > 0] / counts[counts > 0]
        share = float((counts[counts > 0] * np.square(means - ranks.mean())).sum()) / total
        return share, share

    def parts(self) -> "Mapping[str, Array]":
        import numpy as np

        often = np.argsort(-np.bincount(self.codes, minlength=len(self.names)), kind="stable")[:PARTS]
        return {self.names[place]: self.codes == place for place in sorted(often.tolist())}


@dataclass(frozen=True)
class Number:
    """Numbers: the correlation of ranks (Spearman 1904)."""

    values: "Numbers"
    name: str
    measure: str = "rank correlation"

    def strength(self, values: "Numbers", known: "Array") -> tuple[float, float] | None:
        import numpy as np

        one, other = _ranks(values), _ranks(self.values[known])
        if not np.ptp(one) or not np.ptp(other):
            return None
        found = float(np.corrcoef(one, other)[0, 1])
        return found, found

    def parts(self) -> "Mapping[str, Array]":
        import numpy as np

        low, high = np.quantile(self.values, [1 / 3, 2 / 3])
        thirds = {
            "low": self.values <= low, "middle": (self.values > low) & (self.values <= high), "high": self.values > high
        }  # fmt: skip
        return {f"{title} {self.name}": rows for title, rows in thirds.items() if rows.any()}


def label_of(rows: "pa.Table", name: str, positive: str = "") -> Label:
    """The label of training rows: one of two where it holds 0 and 1, or two names, of which `positive` counts.

    Without a `positive` the last name in order does.
    """
    import numpy as np

    from seaway.storage.arrow_numpy import plain_numpy

    values = plain_numpy(rows[name])
    if not positive and values.dtype.kind in "biuf":
        numbers = values.astype(np.float64)
        if np.isin(numbers, [0, 1]).all():
            return OneOfTwo(numbers == 1, (f"not {name}", name))
        return Number(numbers, name)
    names, codes = np.unique([str(value) for value in values.tolist()], return_inverse=True)
    if positive or len(names) == len(("negative", "positive")):
        counted = positive or str(names[-1])
        return OneOfTwo(np.asarray(names[codes] == counted), (f"not {counted}", counted))
    return OneOfMany(codes, tuple(names.tolist()))


def plain_number(kind: "pa.DataType") -> bool:
    """Whether a column of this type is one number a row."""
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _ranks(values: "Array") -> "Numbers":
    from scipy.stats import rankdata

    ranks: Numbers = rankdata(values)
    return ranks
