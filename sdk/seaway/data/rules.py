"""Rules that tables must keep: what a user declares, and how each is checked.

Columns (types, ranges, nulls, values) are declared as pandera schemas; Seaway adds what a single schema cannot say:
which tables there must be, keys, the order of times, and features that would leak the label.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seaway.errors import InvalidSpec

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

EXAMPLES = 3  # shown of each failure


@dataclass(frozen=True)
class Failure:
    """A rule that does not hold: how often, and the first values that break it."""

    rule: str
    table: str
    column: str
    count: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = f", such as {', '.join(self.examples)}" if self.examples else ""
        return f"{self.rule}: {self.table}.{self.column}, {self.count:,} times{shown}"


@dataclass(frozen=True)
class TableRules:
    """Rules of one table.

    Attributes:
        schema: Its columns, as a pandera schema.
        key: Columns that together name a row; no two rows share them, and none is null.
        ordered: Pairs of time columns; the first is never after the second.
    """

    schema: "DataFrameSchema"
    key: Sequence[str] = ()
    ordered: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Availability:
    """Columns of `table` that are known only after the moment of prediction (`at`, in words), and the model's inputs.

    An input among those columns would tell the model what it is to predict.
    """

    table: str
    at: str
    known_later: Collection[str]
    inputs: Collection[str]


@dataclass(frozen=True)
class RuleSet:
    """All rules of a data set; a table that is named here must be there."""

    tables: Mapping[str, TableRules]
    availability: Sequence[Availability] = field(default=())

    def __post_init__(self) -> None:
        if not self.tables:
            raise InvalidSpec("A RuleSet names no table; name at least one.")
        for entry in self.availability:
            if entry.table not in self.tables:
                raise InvalidSpec(f"Availability is declared for {entry.table!r}, which has no rules.")


def check_table(name: str, rules: TableRules, rows: "pd.DataFrame") -> Iterator[Failure]:
    """Yield a failure for each rule of the table that its rows break."""
    yield from _check_schema(name, rules, rows)
    if rules.key and set(rules.key) <= set(rows):
        yield from _check_key(name, list(rules.key), rows)
    for earlier, later in rules.ordered:
        if {earlier, later} <= set(rows):
            wrong = rows.loc[rows[earlier] > rows[later], [earlier, later]]
            examples = [f"{first} > {second}" for first, second in wrong.head(EXAMPLES).itertuples(index=False)]
            yield from _failure(f"{earlier} is not after {later}", name, later, len(wrong), examples)


def check_availability(entry: Availability, columns: Collection[str]) -> Iterator[Failure]:
    """Yield a failure for each input that is known too late, and for each declared column that does not exist."""
    for column in sorted(set(entry.inputs) & set(entry.known_later)):
        yield Failure(f"no label leakage: known at {entry.at}", entry.table, column, 1, ("listed as a model input",))
    for column in sorted(set(entry.known_later) - set(columns)):
        yield Failure("declared as known later, exists", entry.table, column, 1, ("no such column",))


def _check_schema(name: str, rules: TableRules, rows: "pd.DataFrame") -> Iterator[Failure]:
    from pandera.errors import SchemaErrors

    try:
        rules.schema.validate(rows, lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        columns = cases["column"].where(cases["schema_context"] == "Column", cases["failure_case"])
        for (column, check), group in cases.groupby([columns.fillna("(table)"), "check"], dropna=False):
            examples = [str(value) for value in group["failure_case"].head(EXAMPLES)]
            yield Failure(str(check), name, str(column), len(group), tuple(examples))


def _check_key(name: str, key: list[str], rows: "pd.DataFrame") -> Iterator[Failure]:
    missing = rows[key].isna().any(axis=1)
    yield from _failure("key is not null", name, ", ".join(key), int(missing.sum()), _rows(rows.loc[missing, key]))
    twice = rows.duplicated(key) & ~missing
    yield from _failure("key is unique", name, ", ".join(key), int(twice.sum()), _rows(rows.loc[twice, key]))


def _rows(wrong: "pd.DataFrame") -> list[str]:
    return [" ".join(str(value) for value in row) for row in wrong.head(EXAMPLES).itertuples(index=False)]


def _failure(rule: str, table: str, column: str, count: int, examples: list[str]) -> Iterator[Failure]:
    if count:
        yield Failure(rule, table, column, count, tuple(examples))
