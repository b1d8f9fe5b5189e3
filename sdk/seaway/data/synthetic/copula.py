"""A Gaussian copula of a table: each column's own distribution, and one matrix of how they move together.

Every column is a share of (0, 1): categories take a part each by their frequency, and numbers their rank; whether a
number is missing is a column of its own. The normal scores of these shares have one correlation matrix; new rows are
drawn from it and taken back. Nothing but two values of a column between which a new one lies is kept of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from seaway.errors import DataUnreadable

Floats = npt.NDArray[np.float64]
FEWEST = 5  # rows to learn from
SHRINK = 0.02  # of the correlations towards none, which keeps the matrix one of correlations
EDGE = 1e-9  # of a share, from 0 and 1
GAP = "\0missing"  # behind the name of a column of numbers: whether it has none


@dataclass(frozen=True)
class Numbers:
    """A column of numbers: its values in order, and whether they are whole."""

    ordered: Floats
    whole: bool

    @classmethod
    def of(cls, values: "pd.Series[float]") -> "Numbers":
        """Raises: DataUnreadable: no value is there."""
        there: Floats = np.sort(values.dropna().to_numpy(np.float64)).astype(np.float64)
        if not len(there):
            raise DataUnreadable(f"Column {values.name!r} has no value to learn from; leave it out.")
        return cls(there, bool((there == np.round(there)).all()))

    def shares(self, values: "pd.Series[float]", generator: np.random.Generator) -> Floats:
        """Each value's share of (0, 1), NaN for a missing one; equal values are spread over theirs."""
        array = values.to_numpy(np.float64, na_value=np.nan)
        low = np.searchsorted(self.ordered, array, "left") / len(self.ordered)
        high = np.searchsorted(self.ordered, array, "right") / len(self.ordered)
        inside: Floats = low + generator.random(len(array)) * np.maximum(high - low, 0)
        return np.where(np.isnan(array), np.nan, inside)

    def values(self, shares: Floats) -> Floats:
        """Numbers between those of the column, none beyond them."""
        found = np.interp(shares, np.linspace(0, 1, len(self.ordered)), self.ordered)
        return np.round(found) if self.whole else found


@dataclass(frozen=True)
class Categories:
    """A column of categories, missing ones among them, and where each one's part of (0, 1) ends."""

    names: tuple[object, ...]
    ends: Floats

    @classmethod
    def of(cls, values: "pd.Series[str]") -> "Categories":
        """Each category's part is as long as its share of the rows."""
        counts = values.astype(object).where(values.notna(), None).value_counts(dropna=False, sort=True)
        names = tuple(None if pd.isna(name) else name for name in counts.index)
        return cls(names, np.cumsum(counts.to_numpy(np.float64)) / counts.sum())

    def shares(self, values: "pd.Series[str]", generator: np.random.Generator) -> Floats:
        """A share drawn from the part of each value."""
        places = {name: place for place, name in enumerate(self.names)}
        place = np.array([places[None if pd.isna(value) else value] for value in values])
        starts = np.concatenate([[0.0], self.ends[:-1]])
        drawn: Floats = starts[place] + generator.random(len(place)) * (self.ends - starts)[place]
        return drawn

    def values(self, shares: Floats) -> npt.NDArray[np.object_]:
        """The category in whose part each share lies."""
        place = np.minimum(np.searchsorted(self.ends, shares, "right"), len(self.names) - 1)
        found = np.empty(len(shares), object)
        found[:] = [self.names[one] for one in place]
        return found


@dataclass(frozen=True)
class Copula:
    """Columns by name, and the correlations of their normal scores, [columns, columns]."""

    columns: dict[str, Numbers | Categories]
    correlations: Floats

    @classmethod
    def of(cls, rows: pd.DataFrame, numeric: Sequence[str], categorical: Sequence[str], seed: int) -> "Copula":
        """Learn from rows.

        Raises:
            DataUnreadable: there are fewer than five, or a column has no value.
        """
        if len(rows) < FEWEST:
            raise DataUnreadable(f"{len(rows)} rows are too few to learn their like from; {FEWEST} are the least.")
        generator = np.random.default_rng(seed)
        columns: dict[str, Numbers | Categories] = {name: Numbers.of(rows[name]) for name in numeric}
        gaps = pd.DataFrame({f"{name}{GAP}": rows[name].isna() for name in numeric if rows[name].isna().any()})
        columns |= {name: Categories.of(rows[name]) for name in categorical}
        columns |= {name: Categories.of(gaps[name]) for name in map(str, gaps.columns)}
        whole = pd.concat([rows.reset_index(drop=True), gaps.reset_index(drop=True)], axis=1)
        shares = np.column_stack([column.shares(whole[name], generator) for name, column in columns.items()])
        return cls(columns, _correlations(ndtri(np.clip(shares, EDGE, 1 - EDGE))))

    def draw(self, count: int, generator: np.random.Generator) -> pd.DataFrame:
        """New rows."""
        scores = generator.multivariate_normal(np.zeros(len(self.columns)), self.correlations, count, method="eigh")
        made = {name: one.values(ndtr(scores[:, place])) for place, (name, one) in enumerate(self.columns.items())}
        gaps = {name: made.pop(name).astype(bool) for name in list(made) if name.endswith(GAP)}
        rows = pd.DataFrame(made)
        for name, gap in gaps.items():
            rows.loc[gap, name.removesuffix(GAP)] = np.nan
        return rows


def _correlations(scores: Floats) -> Floats:
    """Of each two columns by the rows that have both; made one matrix of correlations again."""
    pairwise = pd.DataFrame(scores).corr().fillna(0.0).to_numpy(np.float64) * (1 - SHRINK)
    np.fill_diagonal(pairwise, 1.0)
    values, vectors = np.linalg.eigh(pairwise)
    whole = vectors @ np.diag(np.maximum(values, EDGE)) @ vectors.T
    scale = np.sqrt(np.diag(whole))
    found: Floats = whole / np.outer(scale, scale)
    return found
