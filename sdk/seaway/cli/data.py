"""`seaway data`: versions of data listed, compared, brought back."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import typer

from seaway.cli.output import print_json, print_table
from seaway.data.difference import Difference, TableDifference, compare
from seaway.data.versions import Versions, names_with, shown, split_name
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.lineage import LINEAGE_FILE, Lineage
from seaway.platforms.home import data_versions


def log(name: str, store: str, as_json: bool) -> None:
    """Print a line a version. Raises: StorageUnavailable."""
    found = Versions(store or data_versions(), name).log()
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_table(("version", "made", "rows", "note"), shown(found), f"No version of {name!r} is kept.")


def diff(before: str, after: str, key: str, store: str, as_json: bool) -> None:
    """Print what has changed. Raises: DataUnreadable: one is neither a folder nor a version."""
    with _folder(before, store) as old, _folder(after, store) as new:
        found = compare(old, new, key)
    if as_json:
        print_json(found.to_json())
    else:
        typer.echo("\n".join(_lines(found)))


def checkout(version: str, folder: Path, store: str) -> None:
    """Bring a version back.

    Raises:
        DataUnreadable: there is no such version, or a package names none.
        InvalidSpec: the folder holds something else than Parquet files.
    """
    if folder.exists() and any(file.suffix != ".parquet" for file in folder.iterdir()):
        raise InvalidSpec(f"{folder} holds something else than Parquet files; give an empty folder, or a new one.")
    kept = store or data_versions()
    name, wanted = _named(version, kept)
    found = Versions(kept, name).checkout(wanted, folder)
    rows = ", ".join(f"{count:,} {table}" for table, count in found.rows.items())
    typer.echo(f"{name}@{found.version} is in {folder}: {rows}")


def _named(text: str, store: str) -> tuple[str, str]:
    """Name and version of `NAME@VERSION`, of `@VERSION` under any name, or of what a package's rows were made of."""
    if (Path(text) / LINEAGE_FILE).is_file():
        text = _made_of(Path(text))
    name, version = split_name(text)
    if name:
        return name, version
    if found := names_with(store, version):
        return found[0], version
    raise DataUnreadable(
        f"No data in {store} have the version {version!r}: version_data has not kept them there. Name another --store, "
        "or read them from their source again."
    )


def _made_of(package: Path) -> str:
    """Raises: DataUnreadable: the package names no data, or those of several sources."""
    found = [f"@{one['version']}" for one in Lineage.read(package).origins]
    if len(found) == 1:
        return found[0]
    several = (
        f"was made of {' and '.join(found)}; ask for one of them." if found else "does not say what it was made of."
    )
    raise DataUnreadable(f"The model in {package} {several}")


@contextmanager
def _folder(text: str, store: str) -> Iterator[Path]:
    """A folder as it is, or a version's files until the end of the block."""
    if Path(text).is_dir():
        yield Path(text)
        return
    name, version = split_name(text)
    with tempfile.TemporaryDirectory(prefix="seaway-data-") as scratch:
        Versions(store or data_versions(), name).checkout(version, Path(scratch) / "tables")
        yield Path(scratch) / "tables"


def _lines(found: Difference) -> Iterator[str]:
    yield from (f"{name}: a new table" for name in found.tables_added)
    yield from (f"{name}: the table is gone" for name in found.tables_removed)
    for name, table in found.tables.items():
        yield f"{name}: {_said(table)}"


def _said(table: TableDifference) -> str:
    if table.same and not table.drifted:
        return f"the same {table.rows[0]:,} rows"
    changed = "" if table.changed is None else f", {table.changed:,} changed"
    parts = [f"{table.rows[0]:,} to {table.rows[1]:,} rows: {table.added:,} added, {table.removed:,} removed{changed}"]
    parts += [f"column {name} is new" for name in table.columns_added]
    parts += [f"column {name} is gone" for name in table.columns_removed]
    parts += [f"column {name} was {was} and is {now}" for name, (was, now) in table.columns_retyped.items()]
    parts += [f"{name} has drifted by {distance:.2f}" for name, distance in table.drifted.items()]
    return "; ".join(parts)
