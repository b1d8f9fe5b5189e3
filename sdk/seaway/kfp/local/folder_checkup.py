"""Is this state folder whole? `seaway doctor` asks what a run, or the next look at one, would stumble over."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from seaway import registry
from seaway.errors import SeawayError
from seaway.kfp.local import step_process
from seaway.kfp.local.records import record_files
from seaway.kfp.local.run_state import as_it_is
from seaway.models.signing import PRIVATE_KEY, PUBLIC_KEY
from seaway.platforms.findings import Finding, State
from seaway.platforms.place import require_current_names
from seaway.process_identity import running
from seaway.registry import Port
from seaway.storage import read_json

SKEW_S = 60.0  # seconds that a record may lie in the future: clocks of two machines differ


def folder_checkup(home: Path) -> Iterator[Finding]:
    """What is found of the folder of runs, keys and endpoints, and of the settings that go with it."""
    yield _written(home)
    yield from _keys(home / "keys")
    yield from _backends()
    yield from _runs()
    yield from _endpoints(home / "endpoints")


def _written(home: Path) -> Finding:
    if os.access(home, os.W_OK | os.X_OK):
        return Finding(State.GOOD, f"{home} can be written")
    return Finding(State.BAD, f"{home} cannot be written", "Set SEAWAY_HOME to a folder of yours.")


def _keys(folder: Path) -> Iterator[Finding]:
    private, public = folder / PRIVATE_KEY, folder / PUBLIC_KEY
    if private.exists() and stat.S_IMODE(private.stat().st_mode) & 0o077:
        yield Finding(State.BAD, f"others may read {private}, which signs packages", f"chmod 600 {private}")
    elif private.exists() and not public.exists():
        advice = f"Bring {PUBLIC_KEY} back, or delete {private}: the next package makes a pair."
        yield Finding(State.BAD, f"{public} is gone, so no package can be verified", advice)
    elif private.exists():
        yield Finding(State.GOOD, "the keys that sign packages are there")


def _backends() -> Iterator[Finding]:
    """Whether the settings name backends that there are."""
    wrong = [str(error) for port in registry.PORTS.values() if (error := _refused(port))]
    yield from (Finding(State.BAD, told.rstrip("."), "`seaway backends` lists what there is.") for told in wrong)
    if not wrong:
        yield Finding(State.GOOD, "each port has a backend")


def _refused(port: Port) -> SeawayError | None:
    try:
        require_current_names()
        if name := os.environ.get(port.variable):
            registry.find(port.name, name)
    except SeawayError as error:
        return error
    return None


def _runs() -> Iterator[Finding]:
    """Records that cannot be read or lie in the future, and processes that a killed run has left."""
    files = record_files()
    found = list(_of_runs(files))
    yield from found
    if files and not found:
        yield Finding(State.GOOD, f"{len(files)} runs are recorded, and none has left anything")


def _of_runs(files: list[Path]) -> Iterator[Finding]:
    for file in files:
        try:
            record = as_it_is(read_json(file))
            begun, state, run = record.get("begun", 0.0), record["state"], record["run"]
        except (SeawayError, KeyError, TypeError) as error:
            told = f"the record of run {file.parent.name} cannot be read: {error}"
            yield Finding(State.BAD, told, f"rm -r {file.parent}")
            continue
        if begun > time.time() + SKEW_S:
            yield Finding(State.BAD, f"run {run} began in the future, so the clock is wrong or was", "Set the clock.")
        if state == "interrupted" and (left := step_process.processes_of(run)):
            yield Finding(State.BAD, f"run {run} was killed and has left {len(left)} processes", f"seaway down {run}")


def _endpoints(folder: Path) -> Iterator[Finding]:
    """Endpoints of which a process has ended."""
    for place in sorted(folder.glob("*/")):
        daemons = {file.name.removesuffix(".pid.json"): read_json(file) for file in sorted(place.glob("*.pid.json"))}
        dead = [name for name, one in daemons.items() if not running(one["pid"], one["started"])]
        run = _run_of(place)
        if dead:
            told = f"of endpoint {place.name}, {', '.join(dead)} ended; see the logs in {place}"
            yield Finding(State.BAD, told, f"seaway down {run}, then run or serve it again.")
        elif daemons:
            yield Finding(State.GOOD, f"endpoint {place.name} serves")


def _run_of(place: Path) -> str:
    try:
        return str(read_json(place / "endpoint.json")["run"])
    except (SeawayError, KeyError):
        return "--all"
