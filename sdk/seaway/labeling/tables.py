"""Rows of Parquet files, each known by its key."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from seaway.errors import DataUnreadable
from seaway.storage import atomic_path
from seaway.storage.arrow_numpy import plain

SHOWN = 3  # keys in a message


def read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a Parquet file, or of all those in a folder by their names.

    Raises:
        DataUnreadable: there is none, one cannot be read, or a column is missing.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise DataUnreadable(f"{path} holds no Parquet file; run the step that writes it first.")
    try:
        table = pa.concat_tables([parquet.ParquetFile(file).read() for file in files])
    except (OSError, ValueError) as error:
        raise DataUnreadable(f"{path} cannot be read as one table ({error}).") from error
    require(table, columns or (), str(path))
    return table.select(list(columns)) if columns else table


def require(table: pa.Table, columns: Sequence[str], where: str) -> None:
    """Raises: DataUnreadable: a column is missing, or no row is there."""
    if missing := sorted(set(columns) - set(table.column_names)):
        there = ", ".join(table.column_names)
        raise DataUnreadable(f"{where} has no column {', '.join(missing)}; it has: {there}.")
    if not table.num_rows:
        raise DataUnreadable(f"{where} has no rows; there is nothing to label.")


def keys(table: pa.Table, column: str, where: str) -> list[str]:
    """The rows' keys as text.

    Raises:
        DataUnreadable: the column is missing, of another type, has a gap, or a key twice.
    """
    require(table, [column], where)
    values = plain(table[column])
    kind = values.type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataUnreadable(f"The key {column!r} of {where} is of type {kind}; a key is text or a whole number.")
    found = ["" if value is None else str(value) for value in values.to_pylist()]
    if "" in found:
        raise DataUnreadable(f"{found.count('')} rows of {where} have no key {column!r}; give each row one of its own.")
    if twice := [key for key, count in Counter(found).items() if count > 1]:
        shown = ", ".join(twice[:SHOWN])
        raise DataUnreadable(
            f"{len(twice)} keys of {where} are there more than once, such as {shown}; make {column!r} unique."
        )
    return found


def write(table: pa.Table, target: Path) -> None:
    """Write a Parquet file, atomically."""
    with atomic_path(target) as draft:
        parquet.write_table(table, draft, compression="zstd")
