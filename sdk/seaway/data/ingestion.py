"""Ingesting: a user's function gives tables, each becomes one Parquet file."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data.version import read_version, version_of, without_version
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import atomic_path, load_object, sha256

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Tables:
    """A folder of Parquet files, one a table.

    `rows` counts by table; `schema` maps table to column to Arrow type; `sha256` is the folder's content hash; and
    `version` that of the data when they were read, empty where their source does not say it.
    """

    path: Path
    rows: Mapping[str, int]
    schema: Mapping[str, Mapping[str, str]]
    sha256: str
    version: str = ""


def ingest(source: str, options: Mapping[str, object], output: Path) -> Tables:
    """Call `source` (`package.module:function`) with `options`; write each table to `output/<name>.parquet`.

    Every table is checked before the first is written, and each file appears whole or not at all.

    Raises:
        InvalidSpec: the function does not exist, or does not take one of the options.
        DataUnreadable: the function gives no table, or an empty one.
    """
    read = load_object(source)
    _check_options(source, read, options)
    version = version_of(source, options)
    tables: Mapping[str, pa.Table] = read(**options)
    _check_tables(source, tables)
    for name, table in tables.items():
        write_table(without_version(table), output / f"{name}.parquet")
    return replace(describe(output), version=read_version(tables) or version)


def write_table(table: "pa.Table", target: Path) -> None:
    """Write Parquet (zstd), atomically."""
    from pyarrow import parquet

    with atomic_path(target) as draft:
        parquet.write_table(table, draft, compression="zstd")


def describe(folder: Path) -> Tables:
    """Rows, schema and hash of a folder of Parquet files.

    Raises:
        DataUnreadable: the folder holds no Parquet file, or one that cannot be read.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise DataUnreadable(f"{folder} holds no Parquet file; run the step that ingests the tables first.")
    rows, schema = {}, {}
    for file in files:
        rows[file.stem], schema[file.stem] = _describe_file(file)
    return Tables(folder, rows, schema, sha256(folder))


def _describe_file(file: Path) -> tuple[int, dict[str, str]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as content:
            return content.metadata.num_rows, {field.name: str(field.type) for field in content.schema_arrow}
    except (pa.ArrowInvalid, OSError) as error:
        raise DataUnreadable(f"{file} is not a readable Parquet file ({error}); ingest the tables anew.") from error


def _check_options(source: str, read: Callable[..., object], options: Mapping[str, object]) -> None:
    known = inspect.signature(read).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
        return
    if unknown := sorted(set(options) - set(known)):
        raise InvalidSpec(f"{source} takes no option {', '.join(unknown)}; it takes {', '.join(known) or 'none'}.")


def _check_tables(source: str, tables: Mapping[str, "pa.Table"]) -> None:
    if not tables:
        raise DataUnreadable(f"{source} gave no table; it must give at least one.")
    if empty := sorted(name for name, table in tables.items() if table.num_rows == 0):
        raise DataUnreadable(f"{source} gave no rows for {', '.join(empty)}; widen its options or check its input.")
