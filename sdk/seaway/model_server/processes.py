"""Daemons: processes that outlive the step that starts them, and are found again by the folder they belong to.

Every daemon, and what it starts, carries its folder and name in its environment, so one is found even where its
starter was killed before it could write anything down. A process is known by pid and start time together, so a pid
that the system has given to another process is never signalled.
"""

import logging
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from seaway.errors import EndpointFailed
from seaway.process_identity import running
from seaway.storage import write_json

# Where Feast has prometheus_client keep its counters, once it is imported: not for the counters of what we start.
COUNTERS = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")
MARK = "SEAWAY_DAEMON"
LOG_LINES = 20  # told where a daemon fails
LOG_BYTES = 1 << 16

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Daemon:
    """A process group in a session of its own; its record is `<name>.pid.json`, its log `<name>.log`."""

    name: str
    folder: Path
    pid: int
    started: float  # seconds since 1970, as the system counts

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def running(self) -> bool:
        """Whether the process that was started still runs, and not another one of the same pid."""
        return running(self.pid, self.started)

    def last_lines(self) -> str:
        """The end of the log."""
        return tail(self.log)


def alone() -> bool:
    """Whether a fork would copy all that runs in this process: one thread, where the system tells (Linux).

    One fork is tried, since OpenBLAS ends its idle threads before each.
    """
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        return False
    if not (pid := os.fork()):
        os._exit(0)
    os.waitpid(pid, 0)
    return len(list(tasks.iterdir())) == 1


def start(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Daemon:
    """Start `command` detached, its output in `<folder>/<name>.log`.

    Raises:
        EndpointFailed: the program cannot be started at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours = {variable: value for variable, value in os.environ.items() if variable not in COUNTERS}
    marked = {**ours, **(environment or {}), MARK: _mark(folder, name)}
    with (folder / f"{name}.log").open("ab") as log:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=marked, cwd=cwd, start_new_session=True
            )
        except OSError as error:
            raise EndpointFailed(f"{name} cannot be started: {error}.") from error
    daemon = Daemon(name, folder, process.pid, psutil.Process(process.pid).create_time())
    write_json(folder / f"{name}.pid.json", {"pid": daemon.pid, "started": daemon.started})
    return daemon


def stop(folder: Path, name: str | None = None, grace_s: float = 5.0) -> int:
    """End the daemons of `folder` (or the one of that name) with all that they started; returns how many processes.

    SIGTERM first, SIGKILL to what is left after `grace_s` seconds.
    """
    count = 0
    while members := list(_members(folder, name)):
        count += len(members)
        for process in members:
            _signal(process, psutil.Process.terminate)
        _, left = psutil.wait_procs(members, timeout=grace_s)
        for process in left:
            _signal(process, psutil.Process.kill)
        psutil.wait_procs(left, timeout=grace_s)
    for record in folder.glob(f"{name or '*'}.pid.json"):
        record.unlink(missing_ok=True)
    return count


def find(folder: Path) -> list[Daemon]:
    """The daemons of `folder` that run."""
    found = [_led_by(process, folder) for process in _members(folder, None)]
    return [daemon for daemon in found if daemon]


def _led_by(process: psutil.Process, folder: Path) -> Daemon | None:
    """The daemon of a process; None where it is only part of one, or has ended meanwhile."""
    try:
        mark = process.environ().get(MARK)
        if not mark or process.pid != os.getsid(process.pid):
            return None
        return Daemon(mark.removeprefix(_mark(folder, "")), folder, process.pid, process.create_time())
    except (ProcessLookupError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def tail(log: Path) -> str:
    """The last lines of a log file; empty where there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - LOG_BYTES))
        return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-LOG_LINES:])


def _members(folder: Path, name: str | None) -> Iterator[psutil.Process]:
    prefix = _mark(folder, name or "")
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK, "")
            ours = mark == prefix if name else mark.startswith(prefix)
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue


def _mark(folder: Path, name: str) -> str:
    return f"{folder.resolve()}:{name}"


def _signal(process: psutil.Process, signal: Callable[[psutil.Process], None]) -> None:
    try:
        signal(process)
    except psutil.NoSuchProcess:
        logger.debug("%s had ended", process)
