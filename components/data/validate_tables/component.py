from kfp import dsl
from seaway.kfp import component


@component
def validate_tables(
    tables: dsl.Input[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
    rules: str,
):
    """Check tables against declared rules, write a report, and fail where a rule does not hold.

    Args:
        tables: Made by `ingest_tables`.
        report: Every rule that does not hold, with counts and examples.
        rules: `package.module:attribute` of a `seaway.data.RuleSet`.

    Raises:
        ValidationFailed: a rule does not hold; the message names rule, table, column, count and examples.
        DataUnreadable: the tables are missing or broken.
    """
    from pathlib import Path

    from seaway.data import validate

    outcome = validate(Path(tables.path), rules, Path(report.path))
    report.metadata["summary"] = f"{outcome.checks - len(outcome.failures)} of {outcome.checks} rules hold"
    outcome.raise_for_failures()
