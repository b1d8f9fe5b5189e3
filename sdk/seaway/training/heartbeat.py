"""Whether the processes of a training still do anything, and where they stand when they do not.

A sign of life is a line in a log, a file that is written, or the processor: who waits for a peer that is gone does
none of it, and would wait until the training's whole time is over. A laptop's step and a pod look alike at the
processes that they hold; those tell where they stand on a signal, also while they wait in C++ for their peers.
"""

import faulthandler
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from seaway.errors import InvalidSpec

VARIABLE = "SEAWAY_HEARTBEAT_S"
SILENCE_S = 600.0  # unless the variable says otherwise
SILENCE_IN_POD_S = 1800.0  # there a worker may wait for a pod whose image is still pulled, as long as torch does
BUSY = 0.01  # of one core, since the last sign of life; below it processes only wait
TICK_S = 1 / os.sysconf("SC_CLK_TCK")  # what the system counts by; a process that only looks around may be charged one
STACKS_S = 3.0  # for the processes to write where they stand
WORKER_FILE = "worker-{rank}.pid"  # in the job's folder, once its process writes its stacks on `SIGNAL`
SIGNAL = signal.SIGUSR1
CAUGHT = re.compile(r"^SigCgt:\s*([0-9a-f]+)$", re.MULTILINE)


def silence_s(usual_s: float = SILENCE_S) -> float:
    """Seconds without a sign of life after which a training is ended. Raises: InvalidSpec."""
    text = os.environ.get(VARIABLE, "")
    try:
        seconds = float(text) if text else usual_s
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise InvalidSpec(f"{VARIABLE} is {text!r}; give the seconds that a training may do nothing.")
    return seconds


def tell_stacks(job: Path) -> None:
    """Have this worker write where its threads stand when it is asked to; `job` is where it says that it does."""
    faulthandler.register(SIGNAL, file=sys.__stderr__ or 2, all_threads=True)
    (job / WORKER_FILE.format(rank=os.environ.get("RANK", "0"))).write_text(str(os.getpid()), encoding="utf-8")


def ask(job: Path, pids: Iterable[int]) -> None:
    """Have the processes write where they stand, one after another: those that said in `job` that they do first.

    Then what these have forked, such as a data loader's own processes, which do it as well.
    """
    told = {int(file.read_text(encoding="utf-8")) for file in job.glob(WORKER_FILE.format(rank="*"))}
    hearing = sorted((pid for pid in pids if pid in told or _hears(pid)), key=lambda pid: (pid not in told, pid))
    for pid in hearing:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGNAL)
        time.sleep(STACKS_S / len(hearing))


def _hears(pid: int) -> bool:
    """Whether a process has a handler for the signal, which would end it otherwise; Linux tells."""
    try:
        found = CAUGHT.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    except OSError:
        return False
    return found is not None and bool(int(found[1], 16) >> (SIGNAL - 1) & 1)


def below(pid: int) -> list[psutil.Process]:
    """The processes that one has started; while there are none, itself, which otherwise only looks at them."""
    try:
        holder = psutil.Process(pid)
        return holder.children(recursive=True) or [holder]
    except psutil.NoSuchProcess:
        return []


@dataclass
class Heartbeat:
    """Looks at the files below `folders`, logs among them, and at the processes that `processes` names at each look."""

    folders: Sequence[Path]
    processes: Callable[[], list[psutil.Process]]

    def __post_init__(self) -> None:
        self._live(time.monotonic(), self._signs(), self._processor_s())

    def silent_s(self) -> float:
        """Look now; seconds since the look that last saw a sign of life."""
        now, written, cpu_s = time.monotonic(), self._signs(), self._processor_s()
        waiting = BUSY * (now - self._beat) + TICK_S * len(cpu_s)
        computed = abs(sum(cpu_s) - sum(self._cpu_s))  # less than before, where a process has ended
        if computed > waiting or written != self._written:
            self._live(now, written, cpu_s)
        return now - self._beat

    def _live(self, now: float, written: tuple[int, ...], cpu_s: list[float]) -> None:
        self._beat, self._written, self._cpu_s = now, written, cpu_s

    def _processor_s(self) -> list[float]:
        """Of each process that there still is."""
        found = list[float]()
        for process in self.processes():
            with suppress(psutil.Error):
                times = process.cpu_times()
                found.append(times.user + times.system)
        return found

    def _signs(self) -> tuple[int, ...]:
        """What changes where anything is written, to a file or to a pod's log."""
        return (*self._newest(), sum(map(_characters, self.processes())))

    def _newest(self) -> tuple[int, int]:
        """Number of the files, and the time of the last change of any."""
        changed = [_changed(path) for folder in self.folders for path in folder.rglob("*")]
        return len(changed), max(changed, default=0)


def _characters(process: psutil.Process) -> int:
    """What a process has written so far, where the system counts it (Linux)."""
    try:
        return int(process.io_counters().write_chars)
    except (psutil.Error, AttributeError, OSError):
        return 0


def _changed(path: Path) -> int:
    """Nanoseconds since 1970; 0 where it is gone by now."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
