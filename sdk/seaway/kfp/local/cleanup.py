"""Ending what a run left: its endpoints by their adapters, then every process that still carries its name."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seaway import platforms, registry
from seaway.errors import InvalidSpec, SeawayError
from seaway.kfp.local import containers, step_process
from seaway.kfp.local.run_state import as_it_is, interrupted
from seaway.platforms.home import home
from seaway.registry import LOCAL
from seaway.storage import read_json, write_json

if TYPE_CHECKING:
    from seaway.serving import DeployedEndpoint

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
    """Let their adapters end the endpoints; the processes are ended whatever these say."""
    removed: list[str] = []
    left = (*_end_here(run, removed), *_end_elsewhere(run, removed))
    processes = (*containers.end_containers_of(run), *step_process.end_processes_of(run))
    return Ended(run, tuple(removed), processes, left)


def _end_here(run: str, removed: list[str]) -> Iterator[str]:
    folders = sorted((home() / "endpoints").glob(f"*-{run}"))
    try:
        for backend in registry.backends("Endpoint", LOCAL) if folders else ():
            _remove_endpoints(backend, run, removed)
    except (SeawayError, OSError) as error:
        yield from (_told(folder, error) for folder in folders if folder.exists())


def _end_elsewhere(run: str, removed: list[str]) -> Iterator[str]:
    """End what an unfinished run has brought to endpoints that outlive runs; what served before it stays."""
    if platforms.is_local("Endpoint") or _succeeded(run):
        return
    try:
        _remove_endpoints("auto", run, removed)
    except (SeawayError, OSError) as error:
        yield f"What run {run} may have brought to an endpoint was not ended: {error}"


def _remove_endpoints(backend: str, run: str, removed: list[str]) -> None:
    """An endpoint that is as before was not the run's to end."""
    from seaway.serving import Endpoint

    adapter = platforms.current(Endpoint, backend)
    for endpoint in _of(adapter.list(), run):
        adapter.remove(endpoint.name, run)
        if endpoint not in _of(adapter.list(), run):
            removed.append(endpoint.name)


def _of(endpoints: "list[DeployedEndpoint]", run: str) -> "list[DeployedEndpoint]":
    return [endpoint for endpoint in endpoints if endpoint.run == run]


def _succeeded(run: str) -> bool:
    file = home() / "runs" / run / "run.json"
    return file.is_file() and read_json(file)["state"] == "succeeded"


def _told(folder: Path, error: Exception) -> str:
    reason = str(error).rstrip(".")
    return f"Endpoint {folder.name} could not be removed: {reason}. Its processes were ended; delete {folder} by hand."


def end_all() -> list[Ended]:
    """End what every run of this state folder left; a run that is still going is left alone."""
    runs = {folder.name for folder in (home() / "runs").glob("*") if not _going(folder)} | _runs_with_endpoints()
    return [ended for run in sorted(runs) if (ended := end_one(run))]


def _going(folder: Path) -> bool:
    """Whether a run's runner is alive, or that of a part of it."""
    records = [file for file in (folder / "run.json", *folder.glob("parts/*/run.json")) if file.is_file()]
    return any(as_it_is(read_json(file))["state"] == "running" for file in records)


def end_one(run: str) -> Ended:
    """End what one run left, and mark it where its runner died.

    Raises:
        InvalidSpec: there is no such run.
    """
    known = run in _runs_with_endpoints() or (home() / "runs" / run).is_dir()
    if not known and not _serves_elsewhere(run):
        raise InvalidSpec(f"There is no run {run!r} in {home()}; `seaway runs` lists them.")
    ended = _end(run)
    _close(home() / "runs" / run / "run.json")
    return ended


def _runs_with_endpoints() -> set[str]:
    """Runs named by endpoint folders: a deployment by hand has no run folder."""
    states = (home() / "endpoints").glob("*/endpoint.json")
    runs = {str(read_json(state)["run"]) for state in states}
    return {run for run in runs if not _going(home() / "runs" / run)}


def _serves_elsewhere(run: str) -> bool:
    """Whether an endpoint was deployed by hand to where endpoints outlive runs."""
    from seaway.serving import Endpoint

    return not platforms.is_local("Endpoint") and bool(_of(platforms.current(Endpoint).list(), run))


def _close(file: Path) -> None:
    if file.is_file() and (record := read_json(file))["state"] == "running":
        write_json(file, interrupted(record))
