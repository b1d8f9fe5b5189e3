"""Which row a changed row was made of, and the refusal of held-out rows that a model has seen a sibling of."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.errors import DataUnreadable

if TYPE_CHECKING:
    import pyarrow as pa

AUGMENTED, ORIGINAL = "augmented", "augmented_from"  # columns: whether a row was made, and the hash of its original
DIGEST_BYTES = 16
FOOTER_END = 8  # bytes of a Parquet file behind its footer: the footer's length, little-endian, and a mark


def row_hashes(table: "pa.Table", columns: Sequence[str]) -> list[str]:
    """A hash of each row's values in these columns."""
    values = [table[name].to_pylist() for name in columns]
    return [
        hashlib.blake2b("\0".join(map(repr, row)).encode(), digest_size=DIGEST_BYTES).hexdigest()
        for row in zip(*values, strict=True)
    ]


def refuse_augmented(table: Path, advice: str) -> None:
    """Raises: DataUnreadable: rows of a Parquet file were made by `augment_examples`; `advice` says what to do."""
    if count := _made(table):
        raise DataUnreadable(f"{count} rows of {table} were made by augment_examples out of other rows: {advice}")


def refuse_siblings(train: Path, held: Path) -> None:
    """See that no row is held out, of validation or test, that the training rows have a changed copy of.

    A row that lies among the training rows itself is none: tables have the same row more than once.

    Raises:
        DataUnreadable: held-out rows were augmented, or training rows were made of rows that are held out.
    """
    refuse_augmented(held, "a model is judged by real rows. Augment the training split only.")
    if not _made(train):
        return
    rows, others = _read(train), _read(held)
    columns = [name for name in rows.column_names if name not in (AUGMENTED, ORIGINAL)]
    if missing := [name for name in columns if name not in others.column_names]:
        raise DataUnreadable(f"{held} has no {', '.join(missing)}, so nobody can see that no augmented row is of it.")
    originals = set(rows[ORIGINAL].drop_null().to_pylist())
    known = set(row_hashes(rows.filter(rows[ORIGINAL].is_null()), columns))
    leaked = sum(one in originals and one not in known for one in row_hashes(others, columns))
    if leaked:
        raise DataUnreadable(
            f"{leaked} rows of {held} have augmented copies in {train}: a model would be judged by what it has seen. "
            "Split first, then augment the training split."
        )


def _made(file: Path) -> int:
    """Rows of a Parquet file that were made; none of what is no Parquet file."""
    if not _may_name(file, ORIGINAL):
        return 0
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as content:
            if ORIGINAL not in content.schema_arrow.names:
                return 0
            marks = content.read([ORIGINAL])[ORIGINAL]
    except (OSError, pa.ArrowException):
        return 0
    return int(len(marks) - marks.null_count)


def _may_name(file: Path, column: str) -> bool:
    """Whether the footer of a Parquet file has a column's name, which stands there as it is (parquet.thrift).

    Arrow is not asked: its import starts a thread, and a step that has one forks no training.
    """
    try:
        with file.open("rb") as content:
            content.seek(-FOOTER_END, os.SEEK_END)
            length = int.from_bytes(content.read(FOOTER_END)[:4], "little")
            content.seek(-FOOTER_END - length, os.SEEK_END)
            return column.encode() in content.read(length)
    except OSError:
        return False


def _read(file: Path) -> "pa.Table":
    from pyarrow import parquet

    return parquet.ParquetFile(file).read()
