"""The process that reads a Dolt database: `python -m seaway.data.sources.dolt_process FILE`, what is wanted on stdin.

It prints the commit, and writes a Parquet file a table.
"""

import json
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seaway.data.columns import quoted


def main(database: str, wanted: Mapping[str, Any]) -> str:
    """The commit of `rev`; `tables` of it, if any are asked for, lie as `0.parquet` and so on in `folder`."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        commit = _hash(connection, wanted["rev"])
        since = _hash(connection, wanted["since"]) if wanted.get("since") else ""
        for place, name in enumerate(wanted.get("tables", [])):
            _write(connection, name, commit, since, Path(wanted["folder"]) / f"{place}.parquet")
    return commit


def _hash(connection: sqlite3.Connection, rev: str) -> str:
    return str(connection.execute("SELECT dolt_hashof(?)", [rev]).fetchone()[0])


def _write(connection: sqlite3.Connection, name: str, commit: str, since: str, target: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    query = f"SELECT * FROM {quoted(f'dolt_at_{name}')}(?)"  # noqa: S608 - quoted
    wanted = [commit, since] if since else [commit]
    found = connection.execute(" EXCEPT ".join([query] * len(wanted)), wanted)
    names = [column[0] for column in found.description]
    values = list(zip(*found, strict=True)) or [()] * len(names)
    columns = {}
    for column, rows in zip(names, values, strict=True):
        try:
            columns[column] = pa.array(rows)
        except pa.ArrowException as error:
            raise SystemExit(f"column {column} of {name} mixes types: {error}") from error
    parquet.write_table(pa.table(columns), target)


if __name__ == "__main__":
    import doltlite  # noqa: F401 - starts this process again, in which sqlite3 is Dolt's, so before stdin is read

    try:
        sys.stdout.write(main(sys.argv[1], json.load(sys.stdin)))
    except sqlite3.Error as error:
        raise SystemExit(str(error)) from error
