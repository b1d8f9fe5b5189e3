"""A version that `version_data` has kept.

`ingest_tables(source="seaway.data.sources.versions:read", options={"store": "s3://data", "name": "orders"})`
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data.version import versioned, with_version
from seaway.data.versions import LATEST, Versions

if TYPE_CHECKING:
    import pyarrow as pa


def version_of(store: str, name: str, version: str = LATEST) -> str:
    """`NAME@VERSION`, written out."""
    return f"{name}@{Versions(store, name).find(version).version}"


@versioned(version_of)
def read(store: str, name: str, version: str = LATEST) -> "dict[str, pa.Table]":
    """The tables of a version.

    Args:
        store: Folder or URI that the versions are in.
        name: Of the data.
        version: How its name begins, or `latest`.

    Raises:
        DataUnreadable: there is no such version.
        StorageCorrupted: a file is not what was kept.
    """
    from pyarrow import parquet

    with tempfile.TemporaryDirectory(prefix="seaway-data-") as folder:
        found = Versions(store, name).checkout(version, Path(folder) / "tables")
        said = f"{name}@{found.version}"
        files = sorted((Path(folder) / "tables").glob("*.parquet"))
        return {file.stem: with_version(parquet.ParquetFile(file).read(), said) for file in files}
