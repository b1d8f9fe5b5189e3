"""The rows of a query are a table like a file's, and no password is kept."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from seaway.data.queries import is_database, read_query
from seaway.errors import DataUnreadable, InvalidSpec


@pytest.fixture
def database(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE sales (size, town, at)")
        rows = [(1.5, "Köln", "2024-01-01"), ("n/a", None, "2024-01-02"), (3, "Ulm", None)]
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", rows)
        connection.commit()
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_query_gives_its_columns_as_they_are_said_to_be(database: str) -> None:
    found = read_query(database, "SELECT * FROM sales", {"town": "text", "size": "number"})
    assert found.to_pydict() == {"town": ["Köln", None, "Ulm"], "size": [1.5, None, 3]}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT * FROM absent", "no such table"),
        ("SELECT size, size FROM sales", "name of its own"),
        ("DELETE FROM sales", "readonly database"),
        ("SELECT town FROM sales", "no column size"),
    ],
)
def test_a_query_that_is_none_is_told(database: str, query: str, told: str) -> None:
    with pytest.raises(DataUnreadable, match=told):
        read_query(database, query, {"size": "number"})


@pytest.mark.parametrize(
    ("address", "query", "told"),
    [
        ("postgresql://me:secret@db/shop", "SELECT 1", "has a password in it"),
        ("mysql://db/shop", "SELECT 1", "no database's address"),
        ("sqlite:///shop.db", " ", "needs a query"),
    ],
)
def test_an_address_is_refused_before_it_is_asked(address: str, query: str, told: str) -> None:
    with pytest.raises(InvalidSpec, match=told) as refusal:
        read_query(address, query, {"x": "text"})
    assert "secret" not in str(refusal.value)


def test_a_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="does not exist"):
        read_query(f"sqlite:///{tmp_path / 'none.db'}", "SELECT 1", {"x": "text"})
    assert not (tmp_path / "none.db").exists()


def test_what_is_a_database_is_told_by_its_scheme() -> None:
    places = ["postgresql://db/x", "postgres://db/x", "sqlite:///x", "x.csv", "data/x.parquet", "C:/x.csv"]
    assert [is_database(place) for place in places] == [True, True, True, False, False, False]
