"""A file of rows as a table: CSV of any dialect, or Parquet.

A CSV says nothing of its types, and a column that is a number in the first thousand rows may be `n/a` in the next. So a
CSV is read as text, and what each column is to be is said by `Column`: what `columns` finds for a person to look at,
and what `read_file` then holds to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seaway.errors import DataUnreadable, InvalidSpec

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Kind = Literal["number", "decimal comma", "truth", "time", "text", "other"]

KINDS: tuple[Kind, ...] = ("truth", "number", "decimal comma", "time")  # in the order that they are tried in
MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?")  # in any case, in a column that is not text
TRUTHS = {"true": 1, "false": 0}
MOSTLY = 0.95  # of the values; a column of so many numbers is one of numbers, and the others are told
SHOWN = 3  # values that are not what their column is
ENCODINGS = ("utf-8", "utf-16", "latin-1")
CSV, PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")


@dataclass(frozen=True)
class Column:
    """One column of a file.

    Attributes:
        name: As in the file.
        kind: What it is to be read as.
        distinct: Values that differ, the missing one not counted.
        missing: Rows without a value.
        strange: Values that are none of the kind, and become missing; at most three of them.
        strangers: How many rows have one.
        whole: Whether its numbers are whole.
        low, high: The least and the greatest number; None for other kinds.
    """

    name: str
    kind: Kind
    distinct: int
    missing: int
    strange: tuple[str, ...] = ()
    strangers: int = 0
    whole: bool = False
    low: float | None = None
    high: float | None = None


def read_file(path: str, kinds: Mapping[str, str]) -> "pa.Table":
    """The columns that `kinds` names, in its order, each as the kind says: numbers, 0 and 1, times in UTC, or text.

    Raises:
        DataUnreadable: the file is missing, is none of the known formats, or lacks a column.
        InvalidSpec: a kind does not exist.
    """
    with _opened(Path(path)) as database:
        there = _names(database)
        if missing := [name for name in kinds if name not in there]:
            raise DataUnreadable(f"{path} has no column {', '.join(missing)}; its columns are {', '.join(there)}.")
        chosen = ", ".join(f"{_as(name, kind)} AS {quoted(name)}" for name, kind in kinds.items())
        return database.sql(f"SELECT {chosen} FROM rows").to_arrow_table()  # noqa: S608 - names are quoted


def columns(path: Path) -> tuple[int, Sequence[Column]]:
    """How many rows a file has, and what each of its columns is.

    Raises:
        DataUnreadable: the file is missing or none of the known formats, or has no rows.
    """
    with _opened(path) as database:
        (rows,) = database.execute("SELECT count(*) FROM rows").fetchall()[0]
        if not rows:
            raise DataUnreadable(f"{path} has no rows.")
        return rows, [_column(database, name, kind) for name, kind in _types(database).items()]


def _opened(path: Path) -> "duckdb.DuckDBPyConnection":
    """A database whose view `rows` is the file."""
    import duckdb

    if not path.is_file():
        raise DataUnreadable(f"{path.absolute()} does not exist.")
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    name = str(path).replace("'", "''")
    if path.suffix.lower() in PARQUET:
        tries = [f"read_parquet('{name}')"]
    elif path.suffix.lower() in CSV:
        how = "all_varchar = true, header = true, sample_size = -1"
        tries = [
            f"read_csv('{name}', {how}, encoding = '{encoding}', strict_mode = {strict})"
            for encoding in ENCODINGS
            for strict in ("true", "false")
        ]
    else:
        known = ", ".join((*CSV, *PARQUET))
        raise DataUnreadable(f"{path} is no file of rows by its name; there are {known}.")
    reasons: list[str] = []
    for reader in tries:
        try:
            database.execute(f"CREATE TABLE rows AS SELECT * FROM {reader}")  # noqa: S608 - the name is quoted
        except duckdb.Error as error:
            reasons.append(str(error).split("\n", maxsplit=1)[0])
        else:
            return database
    raise DataUnreadable(f"{path} cannot be read: {reasons[0]}")


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _types(database: "duckdb.DuckDBPyConnection") -> dict[str, str]:
    return {row[0]: row[1] for row in database.execute("DESCRIBE rows").fetchall()}


def _names(database: "duckdb.DuckDBPyConnection") -> list[str]:
    return list(_types(database))


def _as(name: str, kind: str) -> str:
    """SQL of a column as its kind; what is none of it is missing."""
    text = f"nullif(trim({quoted(name)}::VARCHAR), '')"
    number = {
        "number": text,
        "decimal comma": f"replace(replace({text}, '.', ''), ',', '.')",
    }
    if kind in number:
        value = f"TRY_CAST({number[kind]} AS DOUBLE)"
        return f"CASE WHEN isfinite({value}) THEN {value} END"
    if kind == "truth":
        cases = " ".join(f"WHEN {word!r} THEN {value}" for word, value in TRUTHS.items())
        return f"CASE lower({text}) {cases} END::TINYINT"
    if kind == "time":
        return f"TRY_CAST({text} AS TIMESTAMPTZ)"
    if kind == "text":
        return text
    raise InvalidSpec(
        f"Column {name!r} cannot be read as {kind!r}; there are number, decimal comma, truth, time, text."
    )


def _column(database: "duckdb.DuckDBPyConnection", name: str, stored: str) -> Column:
    """What a column is: the first kind that nearly all of its values are."""
    if stored.endswith("]") or stored.startswith(("STRUCT", "MAP", "BLOB")):
        return Column(name, "other", 0, 0)
    text = f"nullif(trim({quoted(name)}::VARCHAR), '')"
    counted = f"SELECT count({text}), count(DISTINCT {text}), count(*) FROM rows"  # noqa: S608 - the name is quoted
    filled, distinct, rows = database.execute(counted).fetchall()[0]
    known = [word for word in MISSING if word]
    gap = f"lower({text}) IN ({', '.join(map(repr, known))})"
    for kind in KINDS:
        value = _as(name, kind)
        fits, gaps = database.execute(
            f"SELECT count({value}), count(*) FILTER ({gap} AND {value} IS NULL) FROM rows"  # noqa: S608
        ).fetchall()[0]
        if filled - gaps and fits >= MOSTLY * (filled - gaps):
            return _of_kind(database, name, kind, rows - fits, filled - gaps - fits)
    return Column(name, "text", distinct, rows - filled)


def _of_kind(database: "duckdb.DuckDBPyConnection", name: str, kind: Kind, missing: int, strangers: int) -> Column:
    value = _as(name, kind)
    number = kind in ("number", "decimal comma")
    low, high, whole = f"min({value})", f"max({value})", f"bool_and({value} = floor({value}))"
    figures = f"{low}, {high}, {whole}" if number else "NULL, NULL, false"
    distinct, least, most, all_whole = database.execute(
        f"SELECT count(DISTINCT {value}), {figures} FROM rows"  # noqa: S608 - the name is quoted
    ).fetchall()[0]
    shown: tuple[str, ...] = ()
    if strangers:
        text = f"trim({quoted(name)}::VARCHAR)"
        gaps = ", ".join(map(repr, MISSING))
        query = f"SELECT DISTINCT {text} FROM rows WHERE {value} IS NULL AND lower({text}) NOT IN ({gaps}) ORDER BY 1 LIMIT {SHOWN}"  # noqa: S608, E501
        shown = tuple(row[0] for row in database.execute(query).fetchall())
    return Column(name, kind, distinct, missing, shown, strangers, bool(all_whole), least, most)
