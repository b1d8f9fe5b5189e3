"""Redshift's source on its wire protocol, by a real PostgreSQL: the same client, transaction and queries.

What only a Redshift does, UNLOAD, is taken apart again here, and its files are laid as its documents say.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot
from object_store import ObjectStore, object_store
from postgres import BIN, running
from pyarrow import parquet
from seaway.data import ingest
from seaway.data.sources import redshift, redshift_sql, unloaded
from seaway.data.versions import content_version
from seaway.errors import DataUnreadable, InvalidSpec
from sqlglot import exp

SOURCE = "seaway.data.sources.redshift:read"
ORDERS = "SELECT number, NVL(note, 'it''s none') AS note, DATEADD(day, 1, at) AS next, amount FROM orders"
TABLE = """
    CREATE TABLE orders AS SELECT n AS number, CASE WHEN n % 3 > 0 THEN 'note ' || n END AS note,
        timestamp '2024-01-01' + n * interval '1 hour' AS at, (n * 1.25)::numeric(10, 2) AS amount
    FROM generate_series(1, 500) AS n
"""
pytestmark = pytest.mark.skipif(BIN is None, reason="no PostgreSQL on this machine")


def change(address: str, *statements: str) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with running(Path(folder) / "pg") as address:
            change(address, TABLE)
            yield address


def test_rows_read_twice_are_the_same_of_one_version_wherever_they_lie(database: str, tmp_path: Path) -> None:
    options = {"database": database, "queries": {"orders": ORDERS}}
    first = ingest(SOURCE, options, tmp_path / "first")
    change(database, "CREATE TABLE moved AS SELECT * FROM orders ORDER BY note DESC, number DESC",
           "DROP TABLE orders", "ALTER TABLE moved RENAME TO orders")  # fmt: skip
    again = ingest(SOURCE, {**options, "version": first.version}, tmp_path / "again")
    assert (first.sha256, first.version, first.rows) == (again.sha256, again.version, {"orders": 500})
    assert first.version == f"rows {content_version(tmp_path / 'first')}"
    change(database, "UPDATE orders SET note = 'other' WHERE number = 7")
    with pytest.raises(DataUnreadable, match=f"and {first.version} is wanted"):
        redshift.read(**options, version=first.version)
    change(database, "UPDATE orders SET note = 'note 7' WHERE number = 7")


def test_redshift_s_own_words_are_answered_and_an_order_is_kept(database: str) -> None:
    found = redshift.read(database, {"orders": f"{ORDERS} ORDER BY number DESC LIMIT 2;"})["orders"].to_pylist()
    assert [(row["number"], row["note"], row["next"].isoformat(), row["amount"]) for row in found] == [
        (500, "note 500", "2024-01-22T20:00:00", "625.00"),
        (499, "note 499", "2024-01-22T19:00:00", "623.75"),
    ]
    later = redshift.read(database, {"orders": ORDERS}, {"orders": {"number": 497}})["orders"]
    assert later["number"].to_pylist() == [498, 499, 500]
    hostile = {"orders": {"number": "0'; DROP TABLE orders; --"}}
    with pytest.raises(DataUnreadable, match="invalid input syntax"):
        redshift.read(database, {"orders": ORDERS}, hostile)
    assert redshift.read(database, {"orders": ORDERS})["orders"].num_rows == 500


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("DELETE FROM orders", "not one SELECT"),
        ("SELECT 1; DROP TABLE orders", "not one SELECT"),
        ("SELECT * INTO others FROM orders", "not one SELECT"),
        ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone", "not one SELECT"),
        ("UNLOAD ('SELECT 1') TO 's3://a/b'", "not one SELECT"),
        (" ; ", "not one SELECT"),
        ("SELECT FROM WHERE (", "not Redshift's SQL"),
    ],
)
def test_what_is_no_reading_is_refused_before_anything_is_asked(query: str, told: str) -> None:
    with pytest.raises(InvalidSpec, match=f"query of orders is {told}"):
        redshift.read("postgresql://nobody@127.0.0.1:1/none", {"orders": query})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"queries": {}}, "Redshift needs queries"),
        ({"after": {"lines": {"a": 1}}}, "names lines"),
        ({"unload": "/lake/there"}, "not to /lake/there"),
        ({"database": "mysql://db/x"}, "no address of Redshift"),
        ({"database": "postgresql://me:secret@db/x"}, "has a password"),
    ],
)
def test_what_cannot_be_asked_is_refused(options: dict[str, object], told: str) -> None:
    given = {"database": "postgresql://db/x", "queries": {"orders": ORDERS}, **options}
    with pytest.raises(InvalidSpec, match=told) as raised:
        redshift.read(**given)  # type: ignore[arg-type]
    assert "secret" not in str(raised.value)


def test_what_a_function_writes_is_refused_and_a_connection_that_is_ended_gives_nothing(database: str) -> None:
    change(database, "CREATE SEQUENCE IF NOT EXISTS counted")
    with pytest.raises(DataUnreadable, match="read-only transaction"):
        redshift.read(database, {"orders": "SELECT nextval('counted') AS n"})
    with pytest.raises(DataUnreadable, match="Redshift gave no whole answer"):
        redshift.read(database, {"orders": ORDERS, "x": "SELECT pg_terminate_backend(pg_backend_pid()) AS x"})


def inner(statement: str) -> exp.Expression:
    """The query within an UNLOAD, as Redshift's dialect reads its literal."""
    tokens = list(sqlglot.tokenize(statement.removeprefix("UNLOAD "), read="redshift"))
    literal = next(token for token in tokens if token.token_type == sqlglot.TokenType.STRING)
    return sqlglot.parse_one(literal.text, read="redshift")


@pytest.mark.parametrize(
    "text", [ORDERS, r"SELECT 'a''b\\c' AS x", "SELECT a FROM b UNION ALL SELECT '\u00e4''' FROM c"]
)
def test_the_query_within_an_unload_is_the_query(text: str) -> None:
    asked = redshift_sql.query(text, "orders")
    said = redshift_sql.unload(asked, "s3://bucket/it's/")
    assert inner(said) == asked
    assert said.endswith(r" TO 's3://bucket/it\'s/' IAM_ROLE default FORMAT AS PARQUET MANIFEST VERBOSE")


def test_an_unload_has_no_limit_outside_and_its_role_is_one_of_iam() -> None:
    role = "arn:aws:iam::123456789012:role/unloads"
    said = redshift_sql.unload(redshift_sql.query(f"{ORDERS} LIMIT 5", "orders"), "s3://b/f", role)
    assert not inner(said).args.get("limit") and inner(said).find(exp.Limit)
    assert f" TO 's3://b/f/' IAM_ROLE '{role}' " in said
    with pytest.raises(InvalidSpec, match="is 'default' or arn"):
        redshift_sql.unload(redshift_sql.query(ORDERS, "orders"), "s3://b/f", "x' FORMAT CSV --")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    with object_store(tmp_path / "store") as found:
        found.client().make_bucket("lake")
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


def test_an_unload_goes_to_the_warehouse_as_it_is_and_its_refusal_is_told(database: str, store: ObjectStore) -> None:
    with pytest.raises(DataUnreadable, match=r'Redshift gave no whole answer.*syntax error at or near "UNLOAD"'):
        redshift.read(database, {"orders": ORDERS}, unload="s3://lake/scratch")
    assert not list(store.client().list_objects("lake", recursive=True))


def lay(store: ObjectStore, folder: Path, counted: int) -> None:
    """Two files and their manifest, as UNLOAD lays them."""
    entries = []
    for number in range(2):
        file = folder / f"{number:04}_part_00.parquet"
        parquet.write_table(pa.table({"n": range(number, 10, 2)}), file)
        store.client().fput_object("lake", f"orders/{file.name}", str(file))
        said = {"content_length": file.stat().st_size, "record_count": 5}
        entries.append({"url": f"s3://lake/orders/{file.name}", "meta": said})
    manifest = {"entries": entries, "schema": {"elements": []}, "meta": {"content_length": 1, "record_count": counted}}
    (folder / "manifest").write_text(json.dumps(manifest))
    store.client().fput_object("lake", "orders/manifest", str(folder / "manifest"))


def test_what_was_unloaded_is_read_whole_or_not_at_all(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="orders/manifest"):
        unloaded.read("s3://lake/orders")
    lay(store, tmp_path, 10)
    assert sorted(unloaded.read("s3://lake/orders/")["n"].to_pylist()) == list(range(10))
    lay(store, tmp_path, 11)
    with pytest.raises(DataUnreadable, match="10 rows, and its manifest says 11"):
        unloaded.read("s3://lake/orders")
    store.client().fput_object("lake", "orders/0001_part_00.parquet", str(tmp_path / "manifest"))
    with pytest.raises(DataUnreadable, match=r"0001_part_00\.parquet has \d+ bytes, and its manifest says"):
        unloaded.read("s3://lake/orders")
    store.client().remove_object("lake", "orders/0000_part_00.parquet")
    with pytest.raises(DataUnreadable, match="0000_part_00"):
        unloaded.read("s3://lake/orders")
    (tmp_path / "manifest").write_text('{"entries": [{"url": "s3://lake/x"}]}')
    store.client().fput_object("lake", "orders/manifest", str(tmp_path / "manifest"))
    with pytest.raises(DataUnreadable, match="is no manifest of UNLOAD"):
        unloaded.read("s3://lake/orders")
