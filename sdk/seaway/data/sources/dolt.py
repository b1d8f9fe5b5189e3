"""Tables of a Dolt database in a file, as they are in a commit.

`ingest_tables(source="seaway.data.sources.dolt:read", options={"database": "shop.db", "tables": ["orders"]})`

doltlite replaces the SQLite of the whole process that imports it, so rows are read in one of their own.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.data.version import versioned, with_version
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.extras import explained

if TYPE_CHECKING:
    import pyarrow as pa

HEAD = "HEAD"
TIMEOUT_S = 3600


def version_of(database: str, rev: str = HEAD, **_: object) -> str:
    """The commit's hash."""
    return f"dolt {_asked(database, {'rev': rev})}"


@versioned(version_of)
def read(database: str, tables: Sequence[str], rev: str = HEAD, since: str = "") -> "dict[str, pa.Table]":
    """The rows of tables in a commit; what is not committed is in none.

    Args:
        database: The file.
        tables: Their names.
        rev: Commit, tag or branch.
        since: A commit, tag or branch: only rows that are new or changed since then.

    Raises:
        DataUnreadable: there is no such file, commit or table, or a column mixes types.
        InvalidSpec: no table is named, or doltlite is not installed.
    """
    from pyarrow import parquet

    if not tables:
        raise InvalidSpec("Dolt needs the names of tables.")
    with tempfile.TemporaryDirectory(prefix="seaway-dolt-") as folder:
        commit = _asked(database, {"rev": rev, "since": since, "tables": list(tables), "folder": folder})
        return {
            name: with_version(parquet.ParquetFile(Path(folder) / f"{place}.parquet").read(), f"dolt {commit}")
            for place, name in enumerate(tables)
        }


def _asked(database: str, wanted: dict[str, Any]) -> str:
    """The commit that was read, by a process of its own."""
    if not Path(database).is_file():
        raise DataUnreadable(f"{database} is no file; give that of the database.")
    command = [sys.executable, "-m", "seaway.data.sources.dolt_process", str(Path(database).absolute())]
    try:
        done = subprocess.run(
            command, input=json.dumps(wanted), capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise DataUnreadable(f"Dolt has not read {database} within {TIMEOUT_S} s.") from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        if "ModuleNotFoundError" in said:
            raise InvalidSpec(explained(said))
        raise DataUnreadable(f"Dolt cannot read {database}: {said}")
    return done.stdout.strip()
