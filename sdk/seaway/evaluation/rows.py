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
from seaway.storage.arrow_numpy import plain, plain_numpy

MOMENTS = {"month": "%Y-%m", "weekday": "%a", "hour": "%H"}  # slices that the event time gives, and their form
MAX_SLICES = 40  # distinct values; more than this is no slice but a number


def read(path: Path, label: str, columns: Collection[str]) -> pa.Table:
    """Those of `columns` that a Parquet file has, and its `label`.

    Raises:
        DataUnreadable: file missing, unreadable or empty; label missing.
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
    if not rows.num_rows:
        raise DataUnreadable(f"{path} has no rows; a model cannot be measured on nothing.")
    return rows


def column(rows: pa.Table, name: str) -> npt.NDArray[Any]:
    """One column of shape [rows]; a missing number is NaN, any other missing value None."""
    return plain_numpy(rows[name])


def groups(train: pa.Table, test: pa.Table, group: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The group of each row of either table, as a number from 0; missing ones are a group that no training row has.

    Raises:
        DataUnreadable: one of the two has no column `group`.
    """
    for name, rows in (("training", train), ("test", test)):
        if group not in rows.column_names:
            raise DataUnreadable(
                f"The {name} rows have no column {group!r}, so its historic rate cannot be a baseline."
            )
    (names, codes), (others, places) = _coded(plain(train[group])), _coded(plain(test[group]))
    known = {name: place for place, name in enumerate(names) if name is not None}
    new = len(names)  # a group without a training row
    return codes, np.array([known.get(name, new) for name in others], np.intp)[places]


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
        values = plain(rows[name])
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
