"""Held-out rows: read, checked, and cut into slices."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute, parquet

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features.project import EVENT_TIME
from seaway.storage.arrow_numpy import numbers

MOMENTS = {"month": "%Y-%m", "weekday": "%a", "hour": "%H"}  # slices that the event time gives, and their form
MAX_SLICES = 40  # distinct values; more than this is no slice but a number


def read(path: Path, label: str, columns: Collection[str]) -> pa.Table:
    """Those of `columns` that a Parquet file has, and its `label`, which holds 0 and 1, both of them.

    Raises:
        DataUnreadable: file missing, unreadable or empty; label missing, null, not 0/1, or all alike.
    """
    try:
        with parquet.ParquetFile(path) as file:
            there = file.schema_arrow.names
            rows = file.read([name for name in there if name == label or name in columns])
    except (OSError, ValueError) as error:
        raise DataUnreadable(
            f"{path} is no readable Parquet file ({error}); run the step that writes it anew."
        ) from error
    if label not in there:
        raise DataUnreadable(f"{path} has no column {label!r}; its columns are {', '.join(there)}.")
    _check_labels(path, label, column(rows, label))
    return rows


def _check_labels(path: Path, label: str, values: npt.NDArray[Any]) -> None:
    if not len(values):
        raise DataUnreadable(f"{path} has no rows; a model cannot be measured on nothing.")
    if wrong := int((~np.isin(values, [0, 1])).sum()):
        raise DataUnreadable(f"Column {label!r} of {path} holds {wrong} values that are not 0 or 1; drop those rows.")
    if (values == values[0]).all():
        raise DataUnreadable(f"Every row of {path} has {label} = {values[0]}; take a longer period.")


def labels(rows: pa.Table, label: str) -> npt.NDArray[np.bool_]:
    return column(rows, label).astype(np.bool_)


def column(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    """One column of shape [rows]; a missing number is NaN, any other missing value None."""
    values = _plain(rows[name])
    if pa.types.is_string(values.type):
        return np.array(values.to_pylist(), object)
    if pa.types.is_floating(values.type) or (pa.types.is_integer(values.type) and values.null_count):
        return numbers(values)
    if pa.types.is_integer(values.type):
        return np.from_dlpack(values.combine_chunks())
    other: npt.NDArray[Any] = values.to_numpy()
    return other


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def group_rate(train: pa.Table, test: pa.Table, group: str, label: str) -> npt.NDArray[np.float64]:
    """Each test row's rate of its group in the training rows; the rate of all where the group is new or missing.

    Raises:
        DataUnreadable: one of the two has no column `group`.
    """
    for name, rows in (("training", train), ("test", test)):
        if group not in rows.column_names:
            raise DataUnreadable(
                f"The {name} rows have no column {group!r}, so its historic rate cannot be a baseline."
            )
    positive = labels(train, label)
    names, codes = _coded(_plain(train[group]))
    rates = dict(zip(names, np.bincount(codes, positive) / np.bincount(codes), strict=True))
    rates[None] = positive.mean()
    names, codes = _coded(_plain(test[group]))
    return np.array([rates.get(name, rates[None]) for name in names])[codes]


def _coded(values: pa.ChunkedArray) -> tuple[list[Any], npt.NDArray[np.intp]]:
    """The distinct values in the order of their appearance, null among them, and the place of each row's value."""
    encoded = values.combine_chunks().dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), np.from_dlpack(encoded.indices).astype(np.intp)


def slices(rows: pa.Table, name: str) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """The values of a column, most frequent first (numbers and moments in order), each with a mask of its rows.

    `month`, `weekday` and `hour` are taken from the event time where the rows have no such column.

    Raises:
        InvalidSpec: no such column, or too many values.
    """
    values = _values(rows, name)
    found, codes = _coded(values)
    if len(found) > MAX_SLICES:
        raise InvalidSpec(f"Slice column {name!r} has {len(found)} values, more than {MAX_SLICES}; group them first.")
    counts = np.bincount(codes)
    in_order = name in MOMENTS or not pa.types.is_string(values.type)
    for place in sorted(range(len(found)), key=lambda place: found[place] if in_order else -counts[place]):
        yield str(found[place]), codes == place


def _values(rows: pa.Table, name: str) -> pa.ChunkedArray:
    if name in rows.column_names:
        values = _plain(rows[name])
        if values.null_count:
            return values.cast(pa.string()).fill_null("missing")
        number = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
        return values if number else values.cast(pa.string())
    if name in MOMENTS and EVENT_TIME in rows.column_names:
        return compute.strftime(moments(rows), MOMENTS[name])
    raise InvalidSpec(
        f"Slice column {name!r} is not in the test rows; take one of them, or {', '.join(MOMENTS)} of {EVENT_TIME}."
    )


def moments(rows: pa.Table) -> pa.ChunkedArray:
    """The event times in UTC, to the second."""
    return rows[EVENT_TIME].cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("s", "UTC"), safe=False)
