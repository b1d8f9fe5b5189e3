"""Ending what a run left: its endpoints by their adapter, then every process that still carries its name."""

import logging
from dataclasses import dataclass
from pathlib import Path

import psutil

from seaway import platforms
from seaway.errors import InvalidSpec, SeawayError
from seaway.kfp import steps
from seaway.platforms.home import home
from seaway.storage import read_json, write_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """What was ended for one run."""

    run: str
    endpoints: tuple[str, ...]
    processes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.endpoints or self.processes)


def end_run(run: str) -> Ended:
    """End all that a run started. Harmless when nothing is left."""
    endpoints = _remove_endpoints(run)
    return Ended(run, endpoints, tuple(steps.end_processes_of(run)))


def _remove_endpoints(run: str) -> tuple[str, ...]:
    """Let their adapter end the endpoints; the processes are ended anyway, so its failure is told only."""
    if not any((home() / "endpoints").glob(f"*-{run}")):
        return ()
    from seaway.serving import Endpoint

    removed = []
    adapter = platforms.current(Endpoint, "torchserve")
    try:
        for endpoint in adapter.list():
            if endpoint.run == run:
                adapter.remove(endpoint.name, run)
                removed.append(endpoint.name)
    except SeawayError as error:
        log.warning("endpoints of run %s: %s", run, error)
    return tuple(removed)


def end_all() -> list[Ended]:
    """End what every run of this state folder left; a run that is still going is left alone."""
    runs = {folder.name for folder in (home() / "runs").glob("*") if not _going(folder)} | _runs_with_endpoints()
    return [ended for run in sorted(runs) if (ended := end_one(run))]


def _going(folder: Path) -> bool:
    """Whether a run's runner is alive."""
    file = folder / "run.json"
    record = read_json(file) if file.is_file() else {"state": "running", "process": 0}
    return record["state"] == "running" and record["process"] != 0 and psutil.pid_exists(record["process"])


def end_one(run: str) -> Ended:
    """End what one run left, and mark it where its runner died.

    Raises:
        InvalidSpec: there is no such run.
    """
    if run not in _runs_with_endpoints() and not (home() / "runs" / run).is_dir():
        raise InvalidSpec(f"There is no run {run!r} in {home()}; `seaway runs` lists them.")
    ended = end_run(run)
    _close(home() / "runs" / run / "run.json")
    return ended


def _runs_with_endpoints() -> set[str]:
    """Runs named by endpoint folders: a deployment by hand has no run folder."""
    states = (home() / "endpoints").glob("*/endpoint.json")
    runs = {str(read_json(state)["run"]) for state in states}
    return {run for run in runs if not _going(home() / "runs" / run)}


def _close(file: Path) -> None:
    if file.is_file() and (record := read_json(file))["state"] == "running":
        write_json(file, {**record, "state": "interrupted"})
