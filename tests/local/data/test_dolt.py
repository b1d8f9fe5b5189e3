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
