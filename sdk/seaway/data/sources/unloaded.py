"""What a warehouse has unloaded: Parquet files, and the manifest that lists them with their sizes and rows."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import DataUnreadable
from seaway.storage import storage_for

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest"


def read(place: str) -> "pa.Table":
    """The rows below `place`, if all files that the manifest lists are there and whole.

    Raises:
        DataUnreadable: there is no manifest, or a file has another size or number of rows than it says.
        StorageUnavailable: the storage does not answer.
    """
    import pyarrow as pa

    with tempfile.TemporaryDirectory(prefix="seaway-unloaded-") as folder:
        said = _manifest(f"{place.rstrip('/')}/{MANIFEST}", Path(folder) / MANIFEST)
        parts = [_part(entry, Path(folder) / str(number)) for number, entry in enumerate(said["entries"])]
    if not parts:
        raise DataUnreadable(f"{place} was unloaded without a row.")
    table = pa.concat_tables(parts)
    if table.num_rows != (rows := said["meta"]["record_count"]):
        raise DataUnreadable(f"{place} has {table.num_rows} rows, and its manifest says {rows}; unload it again.")
    return table


def _manifest(uri: str, target: Path) -> Any:
    storage_for(uri).download(uri, target)
    try:
        said = json.loads(target.read_text(encoding="utf-8"))
        for entry in said["entries"]:
            int(entry["meta"]["content_length"])
        return {**said, "meta": {"record_count": int(said["meta"]["record_count"])}}
    except (ValueError, KeyError, TypeError) as error:
        raise DataUnreadable(f"{uri} is no manifest of UNLOAD with MANIFEST VERBOSE ({error!r}).") from error


def _part(entry: Any, target: Path) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import parquet

    storage_for(entry["url"]).download(entry["url"], target)
    if target.stat().st_size != (size := entry["meta"]["content_length"]):
        raise DataUnreadable(f"{entry['url']} has {target.stat().st_size} bytes, and its manifest says {size}.")
    try:
        with parquet.ParquetFile(target) as file:
            return file.read()
    except (pa.ArrowException, OSError) as error:
        raise DataUnreadable(f"{entry['url']} is no readable Parquet file ({error}).") from error
