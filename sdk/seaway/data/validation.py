"""Validating tables against declared rules, with a report that a person reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data.ingestion import Tables, describe
from seaway.data.rules import Failure, RuleSet, check_availability, check_table
from seaway.errors import InvalidSpec, ValidationFailed
from seaway.reporting import Badge, Page, Table, Tile
from seaway.storage import load_object

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ValidationReport:
    """Every rule that failed, of so many `checks`."""

    tables: Tables
    checks: int
    failures: tuple[Failure, ...]

    def raise_for_failures(self) -> None:
        """Raises ValidationFailed: a rule does not hold; the message has a line for each."""
        if self.failures:
            lines = "\n".join(f"- {failure}" for failure in self.failures)
            raise ValidationFailed(
                f"{len(self.failures)} of {self.checks} rules do not hold in {self.tables.path}; "
                f"mend the data or the rule:\n{lines}"
            )


def validate(tables: Path, rules: str, report: Path) -> ValidationReport:
    """Check the Parquet files of `tables` by the `RuleSet` that `rules` (`package.module:attribute`) names.

    The HTML report is written whether rules hold or not; `raise_for_failures` of the result raises.

    Raises:
        InvalidSpec: `rules` names no `RuleSet`.
        DataUnreadable: `tables` holds no Parquet file, or a broken one.
    """
    declared = load_object(rules)
    if not isinstance(declared, RuleSet):
        raise InvalidSpec(f"{rules} is a {type(declared).__name__}; name a seaway.data.RuleSet.")
    found = describe(tables)
    outcome = ValidationReport(found, _count(declared), tuple(_failures(found, declared)))
    _page(outcome).write(report)
    return outcome


def _failures(found: Tables, declared: RuleSet) -> Iterator[Failure]:
    for name, rules in declared.tables.items():
        if name in found.rows:
            yield from check_table(name, rules, _read(found.path / f"{name}.parquet"))
        else:
            yield Failure("table exists", name, "(table)", 1, (f"there are {', '.join(found.rows)}",))
    for entry in declared.availability:
        if entry.table in found.schema:
            yield from check_availability(entry, found.schema[entry.table])


def _read(file: Path) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_parquet(file, dtype_backend="numpy_nullable")


def _count(declared: RuleSet) -> int:
    """One for each table, column type, column check, table check, key (null, unique), order and input."""
    total = 0
    for rules in declared.tables.values():
        columns = rules.schema.columns.values()
        total += 1 + sum(1 + (not column.nullable) + len(column.checks) for column in columns)
        total += len(rules.schema.checks) + 2 * bool(rules.key) + len(rules.ordered)
    return total + sum(len(entry.inputs) for entry in declared.availability)


def _page(outcome: ValidationReport) -> Page:
    failed = len(outcome.failures)
    state = Badge(f"{failed} failed", "bad") if failed else Badge("all hold", "good")
    page = Page("Data validation", f"{outcome.checks} rules on {len(outcome.tables.rows)} tables", state)
    page.tiles = [Tile(name, rows, "rows") for name, rows in outcome.tables.rows.items()]
    if failed:
        cells = [(f.rule, f.table, f.column, f.count, "; ".join(f.examples)) for f in outcome.failures]
        page.section("Rules that do not hold", Table(("rule", "table", "column", "count", "examples"), cells))
    columns = [(table, name, kind) for table, schema in outcome.tables.schema.items() for name, kind in schema.items()]
    return page.section("Columns", Table(("table", "column", "type"), columns))
