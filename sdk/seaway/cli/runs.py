"""The runs of this folder, read from their `run.json`."""

from pathlib import Path

from seaway.cli.output import print_json, print_table
from seaway.errors import InvalidSpec
from seaway.kfp.local.records import records, report_file
from seaway.platforms.home import home


def show(as_json: bool) -> None:
    """Print the runs."""
    if as_json:
        print_json(records())
        return
    rows = [
        (record["run"], record["pipeline"], record["state"], f"{record['seconds']:.1f} s", _report_mark(record["run"]))
        for record in records()
    ]
    print_table(
        ("run", "pipeline", "state", "time", "report"),
        rows,
        empty="No runs yet; `seaway run PIPELINE` makes one.",
    )


def _report_mark(run: str) -> str:
    return "yes" if report_file(run).exists() else ""


def report(run: str | None) -> Path:
    """The report of a run, or of the latest run that has one.

    Raises:
        InvalidSpec: there is none.
    """
    candidates = [run] if run else [record["run"] for record in records()]
    for candidate in candidates:
        if report_file(candidate).exists():
            return report_file(candidate)
    raise InvalidSpec(f"No report of {run or 'any run'} in {home()}; `seaway runs` lists the runs.")
