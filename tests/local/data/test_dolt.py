"""A real Dolt database is read by commit, and what has changed since another one."""

import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet
from seaway.data import ingest
from seaway.errors import DataUnreadable, InvalidSpec

DOLT = "seaway.data.sources.dolt:read"
STATEMENTS = """
CREATE TABLE orders(id INTEGER PRIMARY KEY, amount REAL, note TEXT);
INSERT INTO orders VALUES (1, 9.5, 'a'), (2, 12, NULL);
SELECT dolt_commit('-A', '-m', 'first');
SELECT dolt_tag('v1', 'HEAD');
UPDATE orders SET amount = 10 WHERE id = 1;
INSERT INTO orders VALUES (3, 1, 'b');
SELECT dolt_commit('-A', '-m', 'second');
INSERT INTO orders VALUES (4, 1, 'not committed')
"""
WRITE = """
import doltlite, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
for statement in sys.argv[2].split(";"):
    connection.execute(statement).fetchall()
connection.commit()
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dolt") / "shop.db"
    write(file, STATEMENTS)
    return file


def write(file: Path, statements: str) -> None:
    subprocess.run([sys.executable, "-c", WRITE, str(file), statements], check=True)


def test_a_commit_is_read_twice_the_same_and_changes_since_another_alone(database: Path, tmp_path: Path) -> None:
    options = {"database": str(database), "tables": ["orders"]}
    first, again = (ingest(DOLT, {**options, "rev": "v1"}, tmp_path / name) for name in ("first", "again"))
    assert (first.sha256, first.version, first.rows) == (again.sha256, again.version, {"orders": 2})
    assert first.schema["orders"] == {"id": "int64", "amount": "double", "note": "string"}
    latest = ingest(DOLT, options, tmp_path / "latest")
    assert latest.version.startswith("dolt ") and latest.version != first.version and latest.rows == {"orders": 3}
    ingest(DOLT, {**options, "since": "v1"}, tmp_path / "new")
    assert parquet.read_table(tmp_path / "new" / "orders.parquet")["id"].to_pylist() == [1, 3]
    by_hash = ingest(DOLT, {**options, "rev": first.version.removeprefix("dolt ")}, tmp_path / "hash")
    assert by_hash.sha256 == first.sha256


def test_what_is_not_there_or_mixes_types_is_told(database: Path, tmp_path: Path) -> None:
    options = {"database": str(database), "tables": ["orders"]}
    for wrong in ({"rev": "v9"}, {"tables": ["none"]}, {"database": str(tmp_path / "none.db")}):
        with pytest.raises(DataUnreadable):
            ingest(DOLT, {**options, **wrong}, tmp_path / "wrong")
    with pytest.raises(InvalidSpec, match="names of tables"):
        ingest(DOLT, {**options, "tables": []}, tmp_path / "wrong")
    mixed = tmp_path / "mixed.db"
    write(mixed, "CREATE TABLE t(a); INSERT INTO t VALUES (1), ('x'); SELECT dolt_commit('-A', '-m', 'first')")
    with pytest.raises(DataUnreadable, match="column a of t mixes types"):
        ingest(DOLT, {"database": str(mixed), "tables": ["t"]}, tmp_path / "wrong")


def test_a_database_that_is_cut_off_has_its_commits_whole_or_not_at_all(database: Path, tmp_path: Path) -> None:
    """Its file grows at the end, so an older commit may be there; the version says which one was read."""
    options = {"tables": ["orders"], "rev": "v1"}
    whole = ingest(DOLT, {**options, "database": str(database)}, tmp_path / "whole")
    cut, content, told = tmp_path / "cut.db", database.read_bytes(), 0
    for size in (100, len(content) // 2, len(content) * 3 // 4, len(content) - 1):
        cut.write_bytes(content[:size])
        try:
            found = ingest(DOLT, {**options, "database": str(cut)}, tmp_path / str(size))
            assert (found.sha256, found.version) == (whole.sha256, whole.version)
        except DataUnreadable as error:
            told += 1
            assert "cut.db" in str(error) and not (tmp_path / str(size)).exists()
    assert told


def test_a_reader_that_dies_in_the_middle_is_told(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of memory, as the kernel does it: without a word."""
    dies = tmp_path / "dies.py"
    dies.write_text("#!/bin/sh\ncat > /dev/null\nkill -9 $$\n")
    dies.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dies))
    with pytest.raises(DataUnreadable, match="it ended without a word"):
        ingest(DOLT, {"database": str(database), "tables": ["orders"]}, tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()
