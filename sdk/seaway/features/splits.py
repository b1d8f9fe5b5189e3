"""Splitting examples by time, with a purge: what is learned from was known before what is judged begins."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import isclose
from typing import TYPE_CHECKING

from seaway.errors import InvalidSpec
from seaway.features.project import EVENT_TIME, LABEL_TIME

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SplitSpec:
    """Fractions of the examples, in time order; they sum to 1. `replay` is kept for the rollout's requests."""

    train: float = 0.6
    validation: float = 0.15
    test: float = 0.15
    replay: float = 0.1

    def __post_init__(self) -> None:
        fractions = self.fractions
        if wrong := [name for name, fraction in fractions.items() if not 0 < fraction < 1]:
            raise InvalidSpec(f"The fraction of {', '.join(wrong)} is not between 0 and 1 in {fractions}.")
        if not isclose(sum(fractions.values()), 1, abs_tol=1e-9):
            raise InvalidSpec(f"The fractions {fractions} sum to {sum(fractions.values()):g}; make them sum to 1.")

    @property
    def fractions(self) -> dict[str, float]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def split(rows: "pd.DataFrame", spec: SplitSpec) -> "Iterator[tuple[str, pd.DataFrame]]":
    """Yield (name, rows) for each split of `rows`, which are in order of `event_timestamp`.

    Rows that share a time are never parted. Of each split but the last, rows whose label became known only when the
    next had begun are purged (de Prado 2018, Advances in Financial Machine Learning, ch. 7).
    """
    starts = [*_starts(rows[EVENT_TIME], spec), None]
    for name, start, end in zip(spec.fractions, starts, starts[1:], strict=False):
        inside = rows[EVENT_TIME] >= start
        yield name, rows[inside] if end is None else rows[inside & (rows[EVENT_TIME] < end) & (rows[LABEL_TIME] <= end)]


def _starts(times: "pd.Series[pd.Timestamp]", spec: SplitSpec) -> "Iterator[pd.Timestamp]":
    share = 0.0
    for fraction in spec.fractions.values():
        yield times.iloc[min(round(share * len(times)), len(times) - 1)]
        share += fraction
