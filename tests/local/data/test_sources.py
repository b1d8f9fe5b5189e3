"""Sources on what they are for: a real PostgreSQL that changes while it is read, a real S3 server."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from object_store import object_store
from postgres import BIN, running
from pyarrow import parquet
from seaway.data import ingest
from seaway.data.sources import files, postgres
from seaway.data.versions import Versions
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import sha256

POSTGRES = "seaway.data.sources.postgres:read"
without_postgres = pytest.mark.skipif(BIN is None, reason="no PostgreSQL on this machine")
BOTH = {"orders": "SELECT * FROM orders ORDER BY number", "lines": "SELECT * FROM lines ORDER BY number, line;"}
LINES = 3  # of each order
ORDERED = "INSERT INTO orders VALUES (%d, now())"
ADDED = "INSERT INTO lines SELECT %d, l FROM generate_series(1, 3) AS l"
TABLES = """
    CREATE TABLE orders AS SELECT n AS number, timestamptz '2024-01-01' + n * interval '1 hour' AS at
    FROM generate_series(1, 2000) AS n;
    CREATE TABLE lines AS SELECT number, l AS line FROM orders, generate_series(1, 3) AS l
"""


def change(address: str, *statements: str) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(address) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "pg") as address:
            change(address, *TABLES.split(";"))
            yield address


@without_postgres
def test_tables_read_twice_are_the_same_of_one_version_until_something_is_written(
    database: str, tmp_path: Path
) -> None:
    options = {"database": database, "queries": BOTH}
    first, again = (ingest(POSTGRES, options, tmp_path / name) for name in ("first", "again"))
    assert (first.sha256, first.version) == (again.sha256, again.version) and first.version.startswith("snapshot ")
    assert first.rows["lines"] == LINES * first.rows["orders"]
    change(database, "UPDATE orders SET at = at + interval '1 second' WHERE number = 1")
    after = ingest(POSTGRES, options, tmp_path / "after")
    assert after.version != first.version and after.sha256 != first.sha256


@without_postgres
def test_tables_that_are_changed_while_they_are_read_are_of_one_moment(database: str) -> None:
    """A writer adds and removes orders with their lines all the time; no reader sees one without the other."""
    ended = threading.Event()

    def write() -> None:
        number = 10_000
        while not ended.is_set():
            number += 1
            change(database, ORDERED % number, ADDED % number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = []
        for _ in range(10):
            tables = postgres.read(
                database, {**BOTH, "slow": "SELECT pg_sleep(0.05)::text AS x", "late": BOTH["lines"]}
            )
            assert tables["lines"].num_rows == LINES * tables["orders"].num_rows
            assert tables["late"].num_rows == tables["lines"].num_rows
            seen.append(tables["orders"].num_rows)
    finally:
        ended.set()
        writer.join()
    assert seen[-1] > seen[0], "nothing was written meanwhile"


@without_postgres
def test_only_what_is_beyond_what_was_read_before(database: str) -> None:
    read: Any = postgres.read(database, BOTH, {"orders": {"number": 1998}, "lines": {"number": 1999, "line": 1}})
    assert [row["number"] for row in read["orders"].to_pylist()][:2] == [1999, 2000]
    assert {row["line"] for row in read["lines"].to_pylist()} == {2, 3}
    later = postgres.read(database, {"orders": BOTH["orders"]}, {"orders": {"at": "2024-03-24 07:00:00+00"}})
    assert later["orders"].num_rows < 2000
    hostile = {"orders": {"at": "x'; DROP TABLE lines; --"}}
    with pytest.raises(DataUnreadable, match="invalid input syntax"):
        postgres.read(database, {"orders": BOTH["orders"]}, hostile)
    assert postgres.read(database, BOTH)["lines"].num_rows


@without_postgres
def test_what_is_written_is_refused_and_a_connection_that_is_ended_gives_nothing(database: str) -> None:
    with pytest.raises(DataUnreadable, match="read-only transaction"):
        postgres.read(database, {"x": "DELETE FROM orders RETURNING number"})
    ends_itself = "SELECT pg_terminate_backend(pg_backend_pid()) AS x"
    with pytest.raises(DataUnreadable, match="gave no whole answer"):
        postgres.read(database, {**BOTH, "x": ends_itself})


@pytest.mark.parametrize(
    ("database", "queries", "after", "told"),
    [
        ("mysql://db/x", BOTH, None, "no address of PostgreSQL"),
        ("postgresql://me:secret@db/x", BOTH, None, "has a password"),
        ("postgresql://db/x", {}, None, "needs queries"),
        ("postgresql://db/x", BOTH, {"other": {"a": 1}}, "names other"),
    ],
)
def test_what_cannot_be_asked_is_refused(database: str, queries: dict[str, str], after: Any, told: str) -> None:
    with pytest.raises(InvalidSpec, match=told) as raised:
        postgres.read(database, queries, after)
    assert "secret" not in str(raised.value)


def test_files_and_versions_lie_on_s3_as_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    parquet.write_table(pa.table({"n": range(100)}), folder / "rows.parquet")
    with object_store(tmp_path / "store") as store:
        client = store.client()
        client.make_bucket("data")
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        client.fput_object("data", "raw/rows.parquet", str(folder / "rows.parquet"))
        found = files.read("s3://data/raw/rows.parquet", version=f"sha256:{sha256(folder / 'rows.parquet')}")
        assert found["rows"]["n"].to_pylist() == list(range(100))
        versions = Versions("s3://data/versions", "numbers")
        assert versions.log() == []
        first, new = versions.keep(folder, "first")
        assert new and versions.keep(folder) == (first, False)
        versions.checkout("latest", tmp_path / "back")
    assert sha256(tmp_path / "back") == sha256(folder)
