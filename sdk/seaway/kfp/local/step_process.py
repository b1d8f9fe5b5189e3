"""Carrying out one step of a local run: its process, its log, its end, and the reason when it fails."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import psutil

from seaway import errors, platforms
from seaway.kfp.local.used import Child, Used
from seaway.reporting.run_steps import reason_of

GUARD = Path(__file__).with_name("guard.py")
# What a step gets between SIGTERM and SIGKILL to end what it started; on a cluster its pods have 60 s themselves.
GRACE_S = {"local": 5.0, "kubernetes": 75.0}

log = logging.getLogger(__name__)


class Process(Protocol):
    """A running step, which leads a process group; `used.Child` is one."""

    @property
    def pid(self) -> int: ...

    @property
    def used(self) -> Used | None:
        """What it used, once it has ended and where that is known."""

    def poll(self) -> int | None:
        """The exit code once it has ended."""

    def wait(self) -> int:
        """Wait for the exit code."""


def grace_s() -> float:
    """Seconds between SIGTERM and SIGKILL for the steps of this place."""
    return GRACE_S.get(platforms.place(), GRACE_S["local"])


def start(command: Sequence[str], environment: Mapping[str, str], log_file: Path) -> Child:
    """Start a step in a process group of its own, so that all of it can be ended, with its output in `log_file`.

    The group is led by `guard.py`, which ends it where this process is gone.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    guard = [sys.executable, "-I", "-S", str(GUARD), str(_runner()), str(grace_s())]
    with log_file.open("ab") as output:
        process = subprocess.Popen(
            [*guard, *command],
            pass_fds=(_runner(),),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    process.returncode = 0  # so that nobody but the Child waits for it
    return Child(process.pid)


@cache
def _runner() -> int:
    """What reads as ended when this process is gone: a pipe whose other end is here alone, and stays open."""
    read, _ = os.pipe()
    return read


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a step and to everything in its process group; one that has ended is left alone."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        log.debug("process group %d has ended", group)


def end(process: Process) -> None:
    """End the step's process group: SIGTERM, and SIGKILL for what is still there after the grace.

    The group is waited for, not its leader: kfp's launcher is a shell that dies before the program it started.
    """
    signal_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s()
    while _lives(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _lives(process: Process) -> bool:
    process.poll()  # a dead leader would otherwise stay in the group until it is waited for
    return group_lives(process.pid)


def group_lives(group: int) -> bool:
    """Whether anything in a process group still runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(_in_group(process, group) for process in psutil.process_iter(["status"]))


def _in_group(process: psutil.Process, group: int) -> bool:
    """Whether a process is in the group and more than a zombie that nobody has waited for."""
    try:
        return os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE
    except ProcessLookupError:
        return False


def reason(log_file: Path, exit_code: int) -> str:
    """Why a step failed, in one paragraph."""
    text = log_file.read_text(encoding="utf-8", errors="replace") if log_file.exists() else ""
    return reason_of(text, exit_code)


def error_of(reason: str) -> str:
    """The name of the error that a reason begins with; empty where it is none of Seaway's."""
    name = reason.partition(":")[0]
    found = getattr(errors, name, None)
    return name if isinstance(found, type) and issubclass(found, errors.SeawayError) else ""


def processes_of(run: str) -> list[psutil.Process]:
    """Every live process that a run started, wherever it moved: all inherit `SEAWAY_RUN_ID`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("SEAWAY_RUN_ID") == run:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def end_processes_of(run: str) -> list[str]:
    """End every process of a run; returns what was ended, as `name (pid)`."""
    ended = []
    deadline = time.monotonic() + grace_s()
    while (alive := processes_of(run)) and time.monotonic() < deadline:
        ended += [f"{process.name()} ({process.pid})" for process in alive if _terminate(process)]
        psutil.wait_procs(alive, timeout=1.0)
    for process in processes_of(run):
        process.kill()
    return list(dict.fromkeys(ended))


def _terminate(process: psutil.Process) -> bool:
    try:
        process.terminate()
    except psutil.NoSuchProcess:
        return False
    return True
