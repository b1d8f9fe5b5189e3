"""The runs of this folder, read from their `run.json`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seaway.cli.output import print_json, print_table, value_text
from seaway.errors import InvalidSpec
from seaway.kfp.local.comparison import PARTS, Row, compare
from seaway.kfp.local.records import record, records, report_file
from seaway.platforms.home import home

LEAST = 2  # runs that can be compared


def show(as_json: bool) -> None:
    """Print the runs."""
    if as_json:
        print_json(records())
        return
    rows = [
        (one["run"], one["pipeline"], one["state"], f"{one['seconds']:.1f} s", _report_mark(one["run"]))
        for one in records()
    ]
    print_table(
        ("run", "pipeline", "state", "time", "report"),
        rows,
        empty="No runs yet; `seaway run PIPELINE` makes one.",
    )


def _report_mark(run: str) -> str:
    return "yes" if report_file(run).exists() else ""


def show_differences(names: Sequence[str], whole: bool, as_json: bool) -> None:
    """Print runs side by side; what is the same only where the `whole` is asked for.

    Raises:
        InvalidSpec: there is no such run, or there are less than two.
    """
    found = [record(name) for name in dict.fromkeys(names)] if names else records()[:LEAST]
    if len(found) < LEAST:
        raise InvalidSpec(f"Two runs or more can be compared, not {len(found)}; `seaway runs` lists them.")
    compared = compare(found)
    parts = {name: _kept(getattr(compared, name), whole) for name in PARTS}
    if as_json:
        print_json({"runs": compared.runs, **{name: _by_name(rows) for name, rows in parts.items()}})
        return
    rows = [(row.name, *map(value_text, row.values)) for part in parts.values() for row in part]
    print_table(("", *compared.runs), rows, empty="These runs do not differ in what is compared.")


def _kept(rows: Sequence[Row], whole: bool) -> list[Row]:
    return [row for row in rows if whole or row.differs]


def _by_name(rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {row.name: list(row.values) for row in rows}


def report(run: str | None) -> Path:
    """The report of a run, or of the latest run that has one.

    Raises:
        InvalidSpec: there is none.
    """
    candidates = [run] if run else [one["run"] for one in records()]
    for candidate in candidates:
        if report_file(candidate).exists():
            return report_file(candidate)
    raise InvalidSpec(f"No report of {run or 'any run'} in {home()}; `seaway runs` lists the runs.")
