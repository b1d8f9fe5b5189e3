"""The runs of this folder, read from what they write of themselves."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.kfp.local.run_state import PIPELINE, as_it_is
from seaway.platforms.home import home
from seaway.storage import read_json

LATEST = 20  # runs that are looked at for how long steps take
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def record_files() -> list[Path]:
    """Of all runs, latest first: a run's name begins with its time."""
    return sorted((home() / "runs").glob("*/run.json"), reverse=True)


def records() -> list[dict[str, Any]]:
    """All runs, latest first. One whose runner was killed does not run any more."""
    return [as_it_is(read_json(file)) for file in record_files()]


def seconds_by_place(source: str) -> dict[str, float]:
    """How long each step took when its pipeline, as `Record.source` names it, last succeeded; of a reused one nothing.

    What was reused then may run now: those steps are as long as when they last ran, among the latest runs.
    """
    found: dict[str, float] = {}
    ended = [run for run in map(read_json, record_files()[:LATEST]) if _succeeded(run, source)]
    places = {step["place"] for step in ended[0]["steps"]} if ended else set()
    for step in (step for run in ended for step in run["steps"]):
        if step["state"] == "succeeded" and step.get("place") in places:
            found.setdefault(step["place"], step["seconds"])
    return found


def _succeeded(run: dict[str, Any], source: str) -> bool:
    return run["state"] == "succeeded" and run.get("source") == source and all("place" in step for step in run["steps"])


def record(run: str) -> dict[str, Any]:
    """One run.

    Raises:
        InvalidSpec: there is no such run.
    """
    return as_it_is(read_json(record_file(run)))


def record_file(run: str) -> Path:
    """Where a run's record is.

    Raises:
        InvalidSpec: there is no such run; a name with other letters than a run's names none.
    """
    file = home() / "runs" / run / "run.json"
    if not RUN.fullmatch(run) or not file.is_file():
        raise InvalidSpec(f"There is no run {run!r} in {home()}; `seaway runs` lists them.")
    return file


def pipeline_of(run: str) -> dict[str, Any]:
    """What a run runs, as its compiled file says; empty for one of an edition that did not keep it.

    Raises:
        InvalidSpec: there is no such run.
    """
    return _compiled(record_file(run).with_name(PIPELINE))


@lru_cache(maxsize=32)
def _compiled(file: Path) -> dict[str, Any]:
    """It is written once, so it may be kept."""
    from seaway.storage.yaml_text import documents

    if not file.is_file():
        return {}
    spec: dict[str, Any] = documents(file.read_text(encoding="utf-8"))[0]
    return spec


def report_file(run: str) -> Path:
    """Where a run's report is, if it has one."""
    return home() / "runs" / run / "report.html"
