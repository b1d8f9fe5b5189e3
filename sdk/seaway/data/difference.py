"""What has changed between two versions of data: columns, rows, and how values are distributed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.data.columns import quoted
from seaway.errors import DataUnreadable

if TYPE_CHECKING:
    import duckdb

DRIFTED = 0.1  # distance of two distributions, of 1 at most, from which a column has drifted
MANY = 1000  # values of a category; more are no categories
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip


@dataclass(frozen=True)
class TableDifference:
    """One table's.

    Attributes:
        rows: Before and after.
        added, removed: Rows that only one of the two has: by their key, or without one by all of their values.
        changed: Rows of one key with other values; None without a key.
        columns_added, columns_removed: By name.
        columns_retyped: Types before and after, by column.
        drifted: Distance by column, of those whose distribution is another.
    """

    rows: tuple[int, int]
    added: int
    removed: int
    changed: int | None = None
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    drifted: Mapping[str, float] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Whether nothing has changed."""
        columns = (self.columns_added, self.columns_removed, self.columns_retyped)
        return not (self.added or self.removed or self.changed or any(columns))


@dataclass(frozen=True)
class Difference:
    """Of two folders: tables that only one has, and the differences of the others."""

    tables_added: tuple[str, ...]
    tables_removed: tuple[str, ...]
    tables: Mapping[str, TableDifference]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(before: Path, after: Path, key: str = "") -> Difference:
    """Compare two folders of Parquet files, table by table.

    Args:
        before, after: The folders.
        key: Column by which a row is the same row; tables without it are compared as bags of rows.

    Raises:
        DataUnreadable: a folder holds no Parquet file, or one that cannot be read.
    """
    old, new = _files(before), _files(after)
    both = [name for name in old if name in new]
    tables = {name: _table(old[name], new[name], key) for name in both}
    return Difference(tuple(sorted(new.keys() - old)), tuple(sorted(old.keys() - new)), tables)


def _files(folder: Path) -> dict[str, Path]:
    found = {file.stem: file for file in sorted(folder.glob("*.parquet"))}
    if not found:
        raise DataUnreadable(f"{folder} holds no Parquet file; give a folder of tables, or NAME@VERSION.")
    return found


def _table(old: Path, new: Path, key: str) -> TableDifference:
    import duckdb

    with duckdb.connect() as database:
        try:
            for name, file in (("old", old), ("new", new)):
                path = str(file).replace("'", "''")
                database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")  # noqa: S608
            return _difference(database, key)
        except duckdb.Error as error:
            raise DataUnreadable(f"{old} and {new} cannot be compared: {str(error).splitlines()[0]}") from error


def _difference(database: "duckdb.DuckDBPyConnection", key: str) -> TableDifference:
    before, after = _types(database, "old"), _types(database, "new")
    both = [name for name in before if name in after]
    keyed = key if key in both else ""
    added, removed, changed = _rows(database, both, keyed)
    distances = {name: _distance(database, name, before[name], after[name]) for name in both if name != keyed}
    return TableDifference(
        rows=(_count(database, "SELECT count(*) FROM old"), _count(database, "SELECT count(*) FROM new")),
        added=added,
        removed=removed,
        changed=changed,
        columns_added=tuple(name for name in after if name not in before),
        columns_removed=tuple(name for name in before if name not in after),
        columns_retyped={name: (before[name], after[name]) for name in both if before[name] != after[name]},
        drifted={name: round(value, 4) for name, value in distances.items() if value > DRIFTED},
    )


def _types(database: "duckdb.DuckDBPyConnection", table: str) -> dict[str, str]:
    return {row[0]: row[1] for row in database.execute(f"DESCRIBE {table}").fetchall()}


def _count(database: "duckdb.DuckDBPyConnection", query: str) -> int:
    return int(database.execute(query).fetchall()[0][0])


def _rows(database: "duckdb.DuckDBPyConnection", columns: list[str], key: str) -> tuple[int, int, int | None]:
    """Added, removed, changed."""
    listed = ", ".join(f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in columns) or "1"
    only = f"SELECT count(*) FROM (SELECT {listed} FROM {{}} EXCEPT ALL SELECT {listed} FROM {{}})"  # noqa: S608
    if not key:
        return _count(database, only.format("new", "old")), _count(database, only.format("old", "new")), None
    missing = f"SELECT count(*) FROM {{}} AS a ANTI JOIN {{}} AS b ON a.{quoted(key)} = b.{quoted(key)}"  # noqa: S608
    other = " OR ".join(f"a.{quoted(name)}::VARCHAR IS DISTINCT FROM b.{quoted(name)}::VARCHAR" for name in columns)
    changed = f"SELECT count(*) FROM old AS a JOIN new AS b ON a.{quoted(key)} = b.{quoted(key)} WHERE {other}"  # noqa: S608
    return (
        _count(database, missing.format("new", "old")),
        _count(database, missing.format("old", "new")),
        _count(database, changed),
    )


def _distance(database: "duckdb.DuckDBPyConnection", name: str, before: str, after: str) -> float:
    """Of the two distributions: Kolmogorov-Smirnov of numbers, total variation of values; gaps are a value."""
    numbers = all(kind.split("(")[0] in NUMBERS for kind in (before, after))
    column = f"{quoted(name)}::DOUBLE" if numbers else f"{quoted(name)}::VARCHAR"
    counted = f"""
        SELECT value, sum(old) / (SELECT greatest(count(*), 1) FROM old) AS old,
            sum(new) / (SELECT greatest(count(*), 1) FROM new) AS new
        FROM (SELECT {column} AS value, 1 AS old, 0 AS new FROM old
              UNION ALL SELECT {column}, 0, 1 FROM new) GROUP BY value
    """  # noqa: S608
    if numbers:
        steps = f"SELECT sum(old - new) OVER (ORDER BY value NULLS FIRST) AS gap FROM ({counted})"  # noqa: S608
        query = f"SELECT coalesce(max(abs(gap)), 0) FROM ({steps})"  # noqa: S608
    else:
        query = f"SELECT CASE WHEN count(*) > {MANY} THEN 0 ELSE sum(abs(old - new)) / 2 END FROM ({counted})"  # noqa: S608
    return float(database.execute(query).fetchall()[0][0] or 0)
