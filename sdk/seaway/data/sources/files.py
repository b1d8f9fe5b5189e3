"""A file of rows: CSV, JSON lines or Parquet; a path, an S3 URI or a web address.

`ingest_tables(source="seaway.data.sources.files:read", options={"path": "s3://bucket/rows.parquet"})`
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data.columns import chosen, look
from seaway.data.files import PARQUET, opened
from seaway.data.sources.fetched import fetched
from seaway.data.version import require_unchanged, require_version, versioned, with_version
from seaway.errors import DataUnreadable
from seaway.storage import sha256

if TYPE_CHECKING:
    import pyarrow as pa

SKIPPED = "other"  # lists and structures


def version_of(path: str, **_: object) -> str:
    """The content's hash."""
    with fetched(path) as file:
        return _version(file, path)


@versioned(version_of)
def read(
    path: str, table: str = "rows", kinds: Mapping[str, str] | None = None, version: str = ""
) -> "dict[str, pa.Table]":
    """The file as a table.

    Args:
        path: Of the file: a path, a URI or a web address; its ending says the format.
        table: What the table is to be called.
        kinds: What columns are to be read as, see `seaway.data.files.read_file`; none takes all columns as what they
            look like, and those of Parquet as what they are.
        version: That the content must have; empty for any.

    Raises:
        DataUnreadable: the file is missing, cut off, of no known format, lacks a column, has another version, or is
            changed while it is read.
    """
    with fetched(path) as file:
        found = _version(file, path)
        require_version(found, version, path)
        rows = table_of(file, kinds, path)
        require_unchanged(found, _version(file, path), path)
        return {table: with_version(rows, found)}


def _version(file: Path, path: str) -> str:
    if not file.is_file():
        raise DataUnreadable(f"{path} is no file; give that of the rows.")
    return f"sha256:{sha256(file)}"


def table_of(file: Path, kinds: Mapping[str, str] | None, path: str) -> "pa.Table":
    """The rows of a file on disk, which errors call `path`. Raises: DataUnreadable."""
    if not kinds and file.suffix.lower() in PARQUET:
        from pyarrow import parquet

        try:
            with parquet.ParquetFile(file) as content:
                return content.read()
        except (OSError, ValueError) as error:
            raise DataUnreadable(f"{path} is no readable Parquet file ({error}).") from error
    with opened(file) as database:
        wanted = kinds or {one.name: one.kind for one in look(database)[1] if one.kind != SKIPPED}
        return chosen(database, wanted, path)
