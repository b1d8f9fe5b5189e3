"""Whether the processes of a training still do anything, and where they stand when they do not.

A sign of life is a line in a log, a file that is written, or the processor: who waits for a peer that is gone does
none of it, and would wait until the training's whole time is over.
"""

import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from seaway.errors import InvalidSpec

VARIABLE = "SEAWAY_HEARTBEAT_S"
SILENCE_S = 600.0  # unless the variable says otherwise
BUSY = 0.01  # of one core; below it a process only waits
STACKS_S = 3.0  # for the processes to write where they stand
STACK_LINES = 40  # of each process
WORKER_FILE = "worker-{rank}.pid"  # in the job's folder, once its process writes its stacks on `SIGNAL`
SIGNAL = signal.SIGUSR1
log = logging.getLogger(__name__)


def silence_s() -> float:
    """Seconds without a sign of life after which a training is ended. Raises: InvalidSpec."""
    text = os.environ.get(VARIABLE, "")
    try:
        seconds = float(text) if text else SILENCE_S
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InvalidSpec(f"{VARIABLE} is {text!r}; give the seconds that a training may do nothing.")
    return seconds


@dataclass
class Heartbeat:
    """Looks at the logs below `job`, at the files of `folders`, and at the processes below the one of `pid`."""

    job: Path
    folders: Sequence[Path]
    pid: int

    def __post_init__(self) -> None:
        self._beat = self._looked = time.monotonic()
        self._written, self._cpu_s = self._newest(), self._processor_s()

    def silent_s(self) -> float:
        """Look now; seconds since the look that last saw a sign of life."""
        now, written, cpu_s = time.monotonic(), self._newest(), self._processor_s()
        busy = abs(cpu_s - self._cpu_s) > BUSY * (now - self._looked)  # less, where a process has ended
        if busy or written != self._written:
            self._beat = now
        self._looked, self._written, self._cpu_s = now, written, cpu_s
        return now - self._beat

    def stacks(self) -> str:
        """Where each process stands, as Python's faulthandler writes it into its log."""
        before = {path: path.stat().st_size for path in self._error_logs()}
        for file in self.job.glob(WORKER_FILE.format(rank="*")):
            self._ask(int(file.read_text(encoding="utf-8")))
        time.sleep(STACKS_S)
        return "\n".join(f"[rank {path.parent.name}]\n{_after(path, start)}" for path, start in before.items())

    def _ask(self, pid: int) -> None:
        if pid in {process.pid for process in self._processes()}:
            os.kill(pid, SIGNAL)

    def _processes(self) -> list[psutil.Process]:
        """The workers; while there are none, the process that starts them, which otherwise only looks at them."""
        try:
            holder = psutil.Process(self.pid)
            return holder.children(recursive=True) or [holder]
        except psutil.NoSuchProcess:
            return []

    def _processor_s(self) -> float:
        total = 0.0
        for process in self._processes():
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
        return total

    def _newest(self) -> tuple[int, int]:
        """Number of the files, and the time of the last change of any."""
        changed = [_changed(path) for folder in (self.job, *self.folders) for path in folder.rglob("*")]
        return len(changed), max(changed, default=0)

    def _error_logs(self) -> Iterator[Path]:
        return iter(sorted(self.job.glob("logs/*/attempt_*/*/stderr.log")))


def _changed(path: Path) -> int:
    """Nanoseconds since 1970; 0 where it is gone by now."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _after(path: Path, start: int) -> str:
    text = path.read_bytes()[start:].decode("utf-8", "replace").strip()
    return "\n".join(text.splitlines()[:STACK_LINES]) or "(it told nothing)"
