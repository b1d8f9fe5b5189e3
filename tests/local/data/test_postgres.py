"""A query of a real PostgreSQL is a table, whatever types its columns have, and changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import BIN, folder, running
from seaway.data import ingest, validate
from seaway.data.queries import read_query
from seaway.errors import DataUnreadable
from seaway.projects import Wishes, plan, write

pytestmark = pytest.mark.skipif(BIN is None, reason="no PostgreSQL on this machine")
TABLE = """
    CREATE TABLE sales AS SELECT n AS number, (n * 1.25)::numeric(10, 2) AS amount, gen_random_uuid() AS key,
        'town ' || n % 3 AS town, timestamptz '2024-01-01' + n * interval '1 hour' AS at, date '2024-01-01' + n AS day,
        n % 2 = 0 AS returned, jsonb_build_object('a', n) AS more, NULLIF(n % 5, 0)::smallint AS gaps, ARRAY[n] AS list
    FROM generate_series(1, 200) AS n
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    from adbc_driver_postgresql import dbapi

    with folder() as place, running(place) as address:
        with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(TABLE)
        yield address


def test_rows_of_every_usual_type_become_a_project_that_keeps_its_rules(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan("returns", Wishes(database, "returned", query="SELECT * FROM sales", entity="key", time="at"))
    assert (made.task, made.rows, made.looked_up) == ("binary", 200, True)
    assert {"amount", "gaps"} <= set(made.numeric)
    assert made.left_out["list"] == "it holds lists or structures"
    assert made.left_out["number"] == "its numbers name the rows"
    assert made.kinds["at"] == "time"
    write(made, tmp_path / "returns")
    monkeypatch.syspath_prepend(tmp_path / "returns")
    tables = ingest("returns_data.source:read_tables", {}, tmp_path / "tables")
    assert tables.rows == {"rows": 200}
    validate(tmp_path / "tables", "returns_data.rules:RULES", tmp_path / "rules.html").raise_for_failures()


def test_numbers_and_times_are_those_of_the_database(database: str) -> None:
    query = "SELECT amount, at, gaps FROM sales WHERE number = 5"
    (found,) = read_query(database, query, {"amount": "number", "at": "time", "gaps": "number"}).to_pylist()
    assert (found["amount"], found["at"].isoformat(), found["gaps"]) == (6.25, "2024-01-01T05:00:00+00:00", None)


@pytest.mark.parametrize(
    ("query", "told"), [("SELECT nothing FROM sales", "does not exist"), ("SELECT 1 AS x WHERE", "syntax error")]
)
def test_a_query_that_the_database_refuses_is_told(database: str, query: str, told: str) -> None:
    with pytest.raises(DataUnreadable, match=told):
        read_query(database, query, {"x": "number"})


def test_what_a_query_changes_is_undone(database: str) -> None:
    read_query(database, "DELETE FROM sales WHERE number = 1 RETURNING number AS x", {"x": "number"})
    (found,) = read_query(database, "SELECT count(*) AS x FROM sales", {"x": "number"}).to_pylist()
    assert found == {"x": 200}


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="cannot be answered"):
        read_query(f"postgresql://me@/shop?host={tmp_path}", "SELECT 1 AS x", {"x": "number"})
