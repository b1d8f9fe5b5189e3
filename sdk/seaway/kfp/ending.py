"""Ending what a run left: its endpoints by their adapter, then every process that still carries its name."""

import logging
from dataclasses import dataclass
from pathlib import Path

from seaway import platforms
from seaway.errors import InvalidSpec, SeawayError
from seaway.kfp import steps
from seaway.platforms.home import home
from seaway.platforms.local import processes
from seaway.storage import read_json, write_json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """What was ended for one run, and why something of it is `left`."""

    run: str
    endpoints: tuple[str, ...]
    processes: tuple[str, ...]
    left: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.endpoints or self.processes or self.left)


def end_run(run: str) -> Ended:
    """End all that a run started; an endpoint that could not be removed is told. Harmless when nothing is left."""
    ended = _end(run)
    for reason in ended.left:
        log.warning(reason)
    return ended


def _end(run: str) -> Ended:
    """Let their adapter end the endpoints; the processes are ended whatever it says."""
    folders = sorted((home() / "endpoints").glob(f"*-{run}"))
    removed: list[str] = []
    left: tuple[str, ...] = ()
    try:
        if folders:
            _remove_endpoints(run, removed)
    except (SeawayError, OSError) as error:
        left = tuple(_told(folder, error) for folder in folders if folder.exists())
    return Ended(run, tuple(removed), tuple(steps.end_processes_of(run)), left)


def _remove_endpoints(run: str, removed: list[str]) -> None:
    from seaway.serving import Endpoint

    adapter = platforms.current(Endpoint, "torchserve")
    for endpoint in adapter.list():
        if endpoint.run == run:
            adapter.remove(endpoint.name, run)
            removed.append(endpoint.name)


def _told(folder: Path, error: Exception) -> str:
    reason = str(error).rstrip(".")
    return f"Endpoint {folder.name} could not be removed: {reason}. Its processes were ended; delete {folder} by hand."


def end_all() -> list[Ended]:
    """End what every run of this state folder left; a run that is still going is left alone."""
    runs = {folder.name for folder in (home() / "runs").glob("*") if not _going(folder)} | _runs_with_endpoints()
    return [ended for run in sorted(runs) if (ended := end_one(run))]


def _going(folder: Path) -> bool:
    """Whether a run's runner is alive."""
    file = folder / "run.json"
    if not file.is_file() or (record := read_json(file))["state"] != "running":
        return False
    return processes.running(record["process"], record.get("process_started", 0.0))


def end_one(run: str) -> Ended:
    """End what one run left, and mark it where its runner died.

    Raises:
        InvalidSpec: there is no such run.
    """
    if run not in _runs_with_endpoints() and not (home() / "runs" / run).is_dir():
        raise InvalidSpec(f"There is no run {run!r} in {home()}; `seaway runs` lists them.")
    ended = _end(run)
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
