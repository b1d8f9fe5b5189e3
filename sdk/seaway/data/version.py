"""The version of a source's data: what tells, without reading them, whether they are those that were read before.

Run as `python -m seaway.data.version SOURCE OPTIONS` it prints the version, for a run that would reuse what was read.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from seaway.errors import DataUnreadable
from seaway.storage import load_object

if TYPE_CHECKING:
    import pyarrow as pa

SOURCE = "read_from"  # the metadata of an artifact that says which source it was read from, and in which version
ATTRIBUTE = "seaway_version"
METADATA = b"seaway.version"  # in a table's schema: the version of what was read
Source = TypeVar("Source", bound=Callable[..., Any])


def versioned(version: Callable[..., str]) -> Callable[[Source], Source]:
    """Say of a source how its data's version is found: `version` takes the source's options and gives a text.

    A snapshot's number, an ETag, the hash or the size and time of a file (`file_version`). A source that does not say
    it is read in every run.
    """

    def decorate(source: Source) -> Source:
        setattr(source, ATTRIBUTE, version)
        return source

    return decorate


def file_version(*paths: Path | str) -> str:
    """Size and time of files, and of all that lies in folders."""
    files = [file for path in map(Path, paths) for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return json.dumps([[str(file), (stat := file.stat()).st_size, stat.st_mtime_ns] for file in files])


def version_of(source: str, options: Mapping[str, object]) -> str:
    """The version of what a source would read now; empty where it does not say.

    Raises:
        InvalidSpec: there is no such source.
    """
    version = getattr(load_object(source), ATTRIBUTE, None)
    return str(version(**options)) if version else ""


def with_version(table: "pa.Table", version: str) -> "pa.Table":
    """The table, saying which version of its data it is."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA: version.encode()})


def without_version(table: "pa.Table") -> "pa.Table":
    """The table as it was: the same rows are the same file, whichever version they are of."""
    return table.replace_schema_metadata(
        {name: said for name, said in (table.schema.metadata or {}).items() if name != METADATA}
    )


def read_version(tables: "Mapping[str, pa.Table]") -> str:
    """The version that the tables say; empty where none says one, several of them by commas."""
    said = [(table.schema.metadata or {}).get(METADATA, b"").decode() for table in tables.values()]
    return ", ".join(dict.fromkeys(version for version in said if version))


def require_version(found: str, wanted: str, where: str) -> None:
    """Raises: DataUnreadable: another version is wanted than there is."""
    if wanted and found != wanted:
        raise DataUnreadable(
            f"{where} is {found}, and {wanted} is wanted: it has been changed since. Give the file of that version, or "
            "leave `version` out."
        )


def require_unchanged(before: str, after: str, where: str) -> None:
    """Raises: DataUnreadable: the version after reading is another than before, so the rows may be of neither."""
    if before != after:
        raise DataUnreadable(f"{where} was changed while it was read; read it again when nobody writes there.")


if __name__ == "__main__":
    sys.stdout.write(version_of(sys.argv[1], json.loads(sys.argv[2])))
