"""A table of Delta Lake, as it is or as it was in one of its versions.

`ingest_tables(source="seaway.data.sources.delta:read", options={"path": "s3://lake/orders", "version": 12})`
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seaway.data.version import versioned, with_version
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.extras import advice
from seaway.storage import storage_for

if TYPE_CHECKING:
    import pyarrow as pa

LATEST = -1


def version_of(path: str, version: int = LATEST, **_: object) -> str:
    """The table's id and the number of its version."""
    return _version(_opened(path, version))


@versioned(version_of)
def read(path: str, table: str = "rows", version: int = LATEST, columns: Sequence[str] = ()) -> "dict[str, pa.Table]":
    """The table's rows.

    Args:
        path: Of the table: a folder or an `s3://` URI.
        table: What it is to be called.
        version: Its number; -1 for the latest.
        columns: That are read; none for all.

    Raises:
        DataUnreadable: there is no such table, version or column, or one of its files is gone.
        InvalidSpec: what reads Delta Lake is not installed.
    """
    found = _opened(path, version)
    try:
        rows = found.to_pyarrow_table(columns=list(columns) or None)
    except Exception as error:
        raise DataUnreadable(f"{_version(found)} at {path} cannot be read: {_line(error)}") from error
    return {table: with_version(rows, _version(found))}


def _opened(path: str, version: int) -> Any:
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError as error:
        raise InvalidSpec(f"Delta Lake needs a package that is missing. {advice(error.name)}") from error
    storage_for(path)  # refuses what nothing here reads
    try:
        return DeltaTable(path, version=None if version == LATEST else version)
    except (DeltaError, OSError, ValueError) as error:
        asked = "" if version == LATEST else f" in version {version}"
        raise DataUnreadable(f"{path} is no Delta table{asked}: {_line(error)}") from error


def _version(found: Any) -> str:
    return f"delta {found.metadata().id}, version {found.version()}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
