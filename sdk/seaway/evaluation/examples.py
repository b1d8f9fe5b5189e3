"""Held-out rows: read, checked, and cut into slices."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seaway.errors import DataUnreadable, InvalidSpec

MOMENTS = {"month": "%Y-%m", "weekday": "%a", "hour": "%H"}  # slices that the event time gives, and their form
MAX_SLICES = 40  # distinct values; more than this is no slice but a number


def read(path: Path, label: str) -> pd.DataFrame:
    """Rows of a Parquet file whose `label` column holds 0 and 1, both of them.

    Raises:
        DataUnreadable: file missing, unreadable or empty; label missing, null, not 0/1, or all alike.
    """
    try:
        rows = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataUnreadable(
            f"{path} is no readable Parquet file ({error}); run the step that writes it anew."
        ) from error
    if label not in rows:
        raise DataUnreadable(f"{path} has no column {label!r}; its columns are {', '.join(map(str, rows.columns))}.")
    if rows.empty:
        raise DataUnreadable(f"{path} has no rows; a model cannot be measured on nothing.")
    if wrong := int((~rows[label].isin([0, 1])).sum()):
        raise DataUnreadable(f"Column {label!r} of {path} holds {wrong} values that are not 0 or 1; drop those rows.")
    if rows[label].nunique() == 1:
        raise DataUnreadable(f"Every row of {path} has {label} = {rows[label].iloc[0]}; take a longer period.")
    return rows


def labels(rows: pd.DataFrame, label: str) -> npt.NDArray[np.bool_]:
    return rows[label].to_numpy().astype(np.bool_)


def group_rate(train: pd.DataFrame, test: pd.DataFrame, group: str, label: str) -> npt.NDArray[np.float64]:
    """Each test row's rate of its group in the training rows; the rate of all where the group is new.

    Raises:
        DataUnreadable: one of the two has no column `group`.
    """
    for name, rows in (("training", train), ("test", test)):
        if group not in rows:
            raise DataUnreadable(
                f"The {name} rows have no column {group!r}, so its historic rate cannot be a baseline."
            )
    rates = train.groupby(group, observed=True)[label].mean()
    known = test[group].astype(object).map(rates.to_dict())
    return known.fillna(float(train[label].mean())).to_numpy(np.float64)


def slices(
    rows: pd.DataFrame, column: str, time: str = "event_timestamp"
) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """The values of a column, most frequent first (moments in time order), each with a mask of its rows.

    `month`, `weekday` and `hour` are taken from the event time where the rows have no such column.

    Raises:
        InvalidSpec: no such column, or too many values.
    """
    values = _values(rows, column, time)
    counts = values.value_counts(sort=False)
    if len(counts) > MAX_SLICES:
        raise InvalidSpec(
            f"Slice column {column!r} has {len(counts)} values, more than {MAX_SLICES}; group them first."
        )
    in_order = column in MOMENTS or pd.api.types.is_numeric_dtype(values)
    ordered = counts.sort_index() if in_order else counts.sort_values(ascending=False, kind="stable")
    for value in ordered.index:
        yield str(value), (values == value).to_numpy()


def _values(rows: pd.DataFrame, column: str, time: str) -> "pd.Series[Any]":
    if column in rows:
        present: pd.Series[Any] = (
            rows[column].where(rows[column].notna(), "missing") if rows[column].hasnans else rows[column]
        )
        return present
    if column in MOMENTS and time in rows:
        return pd.to_datetime(rows[time], utc=True).dt.strftime(MOMENTS[column])
    raise InvalidSpec(f"Slice column {column!r} is not in the test rows; there are: {_listed(list(rows.columns))}.")


def _listed(names: Sequence[object]) -> str:
    return ", ".join(map(str, names))
