"""What the columns of a table of texts are, and each as what it is said to be.

A CSV says nothing of its types, and a column that is a number in the first thousand rows may be `n/a` in the next. So
values are looked at as texts, and what each column is to be is a kind: what `look` finds for a person to see, and what
`chosen` then holds to.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seaway.errors import DataUnreadable, InvalidSpec

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TIME_FORMATS = (
    *("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y"),
    *("%d/%m/%Y %H:%M", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%Y%m%dT%H%M%S"),
)  # beside ISO's; month first is tried before day first
PLAIN = ("number", "thousands comma", "decimal comma")
WITH_UNIT = " with unit"  # after a kind of number: one sign of a currency, or of per cent, before or after it
NUMBERS = (*PLAIN, *(kind + WITH_UNIT for kind in PLAIN))
GUESSED = ("truth", *PLAIN, "time", *(f"time {form}" for form in TIME_FORMATS), *NUMBERS[len(PLAIN) :])
KINDS = ("truth", *NUMBERS, "time", "time FORMAT", "text", "class")
GAPS = ("", "na", "n/a", "nan", "null", "none", "-", "?")  # in any case; no gap in a column of text
TRUTHS = {"true": 1, "false": 0}
MOSTLY = 0.95  # of the values; a column of so many numbers is one of numbers, and the others are told
SHOWN = 3  # values that are not what their column is
LARGEST = 3.4e38  # that a model is given: in single precision a larger one is infinite
DECIMAL_COMMA = r"^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?([eE][+-]?[0-9]+)?$"
UNIT = r"^([+-]?)[$€£¥₹]\s*|\s*[%$€£¥₹]$"
THOUSANDS = r"^[+-]?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?$"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: As in the table.
        kind: What it is to be read as; `other` for lists and structures, which are not read.
        distinct: Values that differ, the missing one not counted.
        missing: Rows without a value.
        strange: Values that are none of the kind, and become missing; at most three of them.
        strangers: How many rows have one.
        whole: Whether its numbers are whole.
        low, high: The least and the greatest number; None for other kinds.
        words: Of a usual value of a text, 0 of other kinds.
    """

    name: str
    kind: str
    distinct: int
    missing: int
    strange: tuple[str, ...] = ()
    strangers: int = 0
    whole: bool = False
    low: float | None = None
    high: float | None = None
    words: float = 0.0

    @property
    def number(self) -> bool:
        return self.kind in NUMBERS


def look(database: "duckdb.DuckDBPyConnection") -> tuple[int, Sequence[Column]]:
    """How many rows the table `rows` has, and what each of its columns is."""
    (rows,) = database.execute("SELECT count(*) FROM rows").fetchall()[0]
    return rows, [_column(database, name, stored, rows) for name, stored in types(database).items()]


def chosen(
    database: "duckdb.DuckDBPyConnection",
    kinds: Mapping[str, str],
    where: str,
    optional: Sequence[str] = (),
    needed: Sequence[str] = (),
) -> "pa.Table":
    """The columns that `kinds` names, in its order, each as the kind says: numbers, 0 and 1, times in UTC, or text.

    Columns that are `optional` may be missing, such as a label that is not known yet, and are empty then. Rows that
    have nothing in a column that is `needed` are left out.

    Raises:
        DataUnreadable: a column is missing.
        InvalidSpec: a kind does not exist.
    """
    there = types(database)
    absent = [name for name in kinds if name not in there]
    if missing := [name for name in absent if name not in optional]:
        raise DataUnreadable(f"{where} has no column {', '.join(missing)}; its columns are {', '.join(there)}.")
    for name in absent:
        database.execute(f"ALTER TABLE rows ADD COLUMN {quoted(name)} VARCHAR")
    listed = ", ".join(f"{_as(name, kind)} AS {quoted(name)}" for name, kind in kinds.items())
    there_is = " AND ".join([f"{_as(name, kinds[name])} IS NOT NULL" for name in needed]) or "true"
    return database.sql(f"SELECT {listed} FROM rows WHERE {there_is}").to_arrow_table()  # noqa: S608 - names are quoted


def keep(database: "duckdb.DuckDBPyConnection", name: str, kind: str) -> None:
    """Remove the rows of the table `rows` that have no value of a kind in a column."""
    database.execute(f"DELETE FROM rows WHERE {_as(name, kind)} IS NULL")  # noqa: S608 - the name is quoted


def counts(database: "duckdb.DuckDBPyConnection", name: str, kind: str) -> dict[str, int]:
    """How many rows each value of a column has, the most frequent first."""
    value = _as(name, kind)
    query = f"SELECT {value}::VARCHAR, count(*) FROM rows WHERE {value} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"  # noqa: S608
    return dict(database.execute(query).fetchall())


def repeats(database: "duckdb.DuckDBPyConnection", name: str, time: str, kind: str) -> bool:
    """Whether a value of one column comes more than once at one time."""
    times = _as(time, kind)
    query = f"SELECT count(*) FROM (SELECT 1 FROM rows GROUP BY {_as(name, 'text')}, {times} HAVING count(*) > 1)"  # noqa: S608
    return bool(database.execute(query).fetchall()[0][0])


def types(database: "duckdb.DuckDBPyConnection") -> dict[str, str]:
    """The columns of the table `rows`, with what DuckDB keeps them as."""
    return {row[0]: row[1] for row in database.execute("DESCRIBE rows").fetchall()}


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(name: str) -> str:
    return f"nullif(trim({quoted(name)}::VARCHAR), '')"


def _as(name: str, kind: str) -> str:
    """SQL of a column as its kind; what is none of it is missing."""
    text = _text(name)
    if kind in NUMBERS:
        text = f"regexp_replace({text}, '{UNIT}', '\\1')" if kind.endswith(WITH_UNIT) else text
        plain = {
            "number": text,
            "thousands comma": f"CASE WHEN regexp_matches({text}, '{THOUSANDS}') THEN replace({text}, ',', '') END",
            "decimal comma": f"CASE WHEN regexp_matches({text}, '{DECIMAL_COMMA}') "
            f"THEN replace(replace({text}, '.', ''), ',', '.') END",
        }[kind.removesuffix(WITH_UNIT)]
        value = f"TRY_CAST({plain} AS DOUBLE)"
        return f"CASE WHEN abs({value}) <= {LARGEST} THEN {value} END"
    if kind == "truth":
        cases = " ".join(f"WHEN {word!r} THEN {value}" for word, value in TRUTHS.items())
        return f"CASE lower({text}) {cases} END::TINYINT"
    if kind == "time":
        return f"TRY_CAST({text} AS TIMESTAMPTZ)"
    if kind.startswith("time "):
        return f"try_strptime({text}, {_literal(kind.removeprefix('time '))})::TIMESTAMPTZ"
    if kind == "text":
        return text
    if kind == "class":
        return f"CASE WHEN {_gap(text)} THEN NULL ELSE {text} END"
    raise InvalidSpec(f"Column {name!r} cannot be read as {kind!r}; there are {', '.join(KINDS)}.")


def _gap(text: str) -> str:
    return f"lower({text}) IN ({', '.join(repr(word) for word in GAPS if word)})"


def _column(database: "duckdb.DuckDBPyConnection", name: str, stored: str, rows: int) -> Column:
    """What a column of so many rows is: the first kind that nearly all of its values are."""
    if stored.endswith("]") or stored.startswith(("STRUCT", "MAP", "BLOB", "UNION", "VARIANT")):
        return Column(name, "other", 0, 0)
    text = _text(name)
    values = f"(SELECT {text} AS value, count(*) AS times FROM rows WHERE {text} IS NOT NULL GROUP BY 1)"  # noqa: S608
    sums = f"SELECT count(*), coalesce(sum(times), 0), coalesce(sum(times) FILTER ({_gap('value')}), 0) FROM {values}"  # noqa: S608
    distinct, filled, gaps = map(int, database.execute(sums).fetchall()[0])
    for kind in _guesses(stored) if filled - gaps else ():
        fits = f"SELECT coalesce(sum(times), 0) FROM {values} WHERE {_as('value', kind)} IS NOT NULL"  # noqa: S608
        found = int(database.execute(fits).fetchall()[0][0])
        if found >= MOSTLY * (filled - gaps):
            return _of_kind(database, name, kind, rows - found)
    usual = f"SELECT coalesce(median(len(string_split_regex(value, '\\s+'))), 0) FROM {values}"  # noqa: S608
    (words,) = database.execute(usual).fetchall()[0]
    return Column(name, "text", distinct, rows - filled, words=float(words))


def _guesses(stored: str) -> Iterator[str]:
    """Kinds that values of a type may be: written dates are looked for in texts only."""
    return (kind for kind in GUESSED if stored == "VARCHAR" or kind in ("truth", "number", "time"))


def _of_kind(database: "duckdb.DuckDBPyConnection", name: str, kind: str, missing: int) -> Column:
    value, text = _as(name, kind), _text(name)
    low, high, whole = f"min({value})", f"max({value})", f"bool_and({value} = floor({value}))"
    figures = f"{low}, {high}, {whole}" if kind in NUMBERS else "NULL, NULL, false"
    stranger = f"{value} IS NULL AND {text} IS NOT NULL AND NOT ({_gap(text)})"
    distinct, strangers, least, most, all_whole = database.execute(
        f"SELECT count(DISTINCT {value}), count(*) FILTER ({stranger}), {figures} FROM rows"  # noqa: S608
    ).fetchall()[0]
    query = f"SELECT DISTINCT {text} FROM rows WHERE {stranger} ORDER BY 1 LIMIT {SHOWN}"  # noqa: S608
    shown = tuple(row[0] for row in database.execute(query).fetchall()) if strangers else ()
    return Column(name, kind, distinct, missing, shown, strangers, bool(all_whole), least, most)
