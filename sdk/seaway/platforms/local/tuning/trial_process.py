"""Trials as processes: each trains one spec, forked from a server that has imported what the entrypoint needs.

The server is Python's own (`multiprocessing`'s forkserver). A trial leads a session of its own, so that all that it
starts is ended with it, and it ends itself when the process that tunes is gone, however that ended.
"""

import importlib
import importlib.util
import json
import multiprocessing
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, forkserver
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

from seaway import registry
from seaway.platforms.local.training.torchrun import LOOKS, STACK_LINES, TAIL_LINES, TorchrunTrainer, ending
from seaway.training import Trainer, TrainSpec
from seaway.training.heartbeat import Heartbeat, ask, tell_stacks

END_S = 15.0  # from SIGTERM to SIGKILL; a trial of several workers ends them within 10 s
HISTORY, METRICS, LOG = "history.jsonl", "metrics.json", "trial.log"


class TrialProcess:
    """One training under way, of `spec`, in its process or by a backend of Trainer; its files are in `folder`."""

    def __init__(self, spec: TrainSpec, fingerprint: str, folder: Path, threads: int, trainer: str = "") -> None:
        self.spec, self._folder = spec, folder
        self._started: float | None = None
        self._read: tuple[int, int] | None = None  # of the history: which file, and when it was written
        self._history: tuple[Mapping[str, float], ...] = ()
        self._heartbeat: Heartbeat | None = None
        self._look_at = 0.0  # when to look for signs of life again
        self._clear()
        spec.write(folder / "spec.json", fingerprint)
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=_train, args=(str(folder), threads, trainer, dict(os.environ)))
        with _own_program():
            self._process.start()

    @property
    def sentinel(self) -> int:
        """What `multiprocessing.connection.wait` waits for: ready when the process has ended."""
        return self._process.sentinel

    @property
    def exitcode(self) -> int | None:
        """None while it runs."""
        return self._process.exitcode

    @property
    def seconds(self) -> float:
        """Since its start, the wait for the server's imports left out."""
        if self._started is None and (self._folder / LOG).exists():
            self._started = time.monotonic()
        return 0.0 if self._started is None else time.monotonic() - self._started

    def history(self) -> tuple[Mapping[str, float], ...]:
        """The epochs so far, each a mapping with its number under `epoch`."""
        file = self.spec.output / HISTORY
        with suppress(FileNotFoundError):
            status = file.stat()
            written = (status.st_ino, status.st_mtime_ns)  # each write is a new file; a clock tick may hold two
            if written != self._read:
                lines = file.read_text(encoding="utf-8").splitlines()
                self._read, self._history = written, tuple(json.loads(line) for line in lines)
        return self._history

    def metrics(self) -> Mapping[str, Any] | None:
        """The final figures once they are written."""
        try:
            figures: Mapping[str, Any] = json.loads((self.spec.output / METRICS).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):  # not there, or not by one rename
            return None
        return figures

    def reason(self) -> str:
        """How a process that has ended did so, with the last lines of its log."""
        text = (self._folder / LOG).read_text(encoding="utf-8", errors="replace")
        tail = "\n".join(text.splitlines()[-TAIL_LINES:]) or "(it wrote nothing)"
        return f"It {ending(self.exitcode or 0)}. Its last lines:\n{tail}"

    def hung(self, longest_s: float) -> str:
        """Where it stands if it has done nothing for so long, else empty; torchrun itself looks at several workers."""
        if self.spec.workers > 1 or not self.seconds or time.monotonic() < self._look_at:
            return ""
        self._look_at = time.monotonic() + longest_s / LOOKS
        self._heartbeat = self._heartbeat or Heartbeat((self._folder,), self._processes)
        return self._stack() if self._heartbeat.silent_s() > longest_s else ""

    def _processes(self) -> list[psutil.Process]:
        try:
            trial = psutil.Process(self._process.pid)
            return [trial, *trial.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _stack(self) -> str:
        """As Python's faulthandler writes it into the log."""
        file = self._folder / LOG
        before = file.stat().st_size
        ask(self._folder, [self._process.pid or 0])
        text = file.read_bytes()[before:].decode("utf-8", "replace").strip()
        return "\n".join(text.splitlines()[:STACK_LINES]) or "(it told nothing)"

    def end(self) -> None:
        """End the process and all that it started."""
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(END_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()

    def _clear(self) -> None:
        """An earlier attempt's figures are none of this one's; its checkpoints are."""
        self.spec.output.mkdir(parents=True, exist_ok=True)
        for file in (self.spec.output / HISTORY, self.spec.output / METRICS, self._folder / LOG):
            file.unlink(missing_ok=True)


def preload(entrypoint: str) -> None:
    """Start the server, which imports PyTorch and what the entrypoint's package names in `PRELOADED`.

    Only the first call in a process counts: there is one server.
    """
    package = importlib.util.find_spec(entrypoint)
    named: tuple[str, ...] = ()
    if package is not None and package.submodule_search_locations is not None:
        named = getattr(importlib.import_module(entrypoint), "PRELOADED", ())
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__, "torch", *named])
    with _own_program():
        forkserver.ensure_running()


def wait(processes: Sequence[TrialProcess], seconds: float) -> None:
    """Until one has ended, at most so long."""
    connection.wait([process.sentinel for process in processes], seconds)


@contextmanager
def _own_program() -> Iterator[None]:
    """A trial does not run the program that tunes a second time, as `multiprocessing` lets each child do."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _train(folder: str, threads: int, trainer: str, environment: dict[str, str]) -> None:
    """What a trial's process does, in the environment of its study: the server's is that of its own start."""
    os.environ.clear()
    os.environ.update(environment)
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _write_to(Path(folder) / LOG)
    file = Path(folder) / "spec.json"
    spec, _ = TrainSpec.read(file)
    if trainer or spec.workers > 1:
        _trainer(trainer).train(spec)
        return
    _limit(threads)
    tell_stacks(Path(folder))
    sys.argv = [spec.entrypoint, "--spec", str(file)]
    runpy.run_module(spec.entrypoint, run_name="__main__", alter_sys=True)


def _trainer(backend: str) -> Trainer:
    """That of the backend, or of this machine."""
    found: Trainer = registry.find(Trainer.__name__, backend).load()() if backend else TorchrunTrainer()
    return found


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


def _write_to(log: Path) -> None:
    with log.open("ab") as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)


def _limit(threads: int) -> None:
    """Keep trials that share a machine off each other's cores: PyTorch here, and what the trial starts."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
