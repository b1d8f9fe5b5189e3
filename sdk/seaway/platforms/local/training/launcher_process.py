"""The process that holds the workers of a training: forked where torch is here already, else started.

torch and its compiler take several seconds to import, so a step that has them hands them on. That needs a process of
one thread which has not touched a GPU, since neither threads nor CUDA survive a fork.
"""

import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, Protocol

from seaway.model_server.processes import alone
from seaway.platforms.local.training import elastic

POLL_S = 0.02
log = logging.getLogger(__name__)


class Agent(Protocol):
    """The process, which leads a group and ends when `release` is called or we are gone."""

    @property
    def pid(self) -> int: ...

    def wait(self, timeout_s: float) -> int | None:
        """The exit code; None where it still runs after that time."""

    def release(self) -> None:
        """Let it go, and wait for it."""


class StartedAgent:
    """A fresh Python."""

    def __init__(self, job: Path, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "seaway.platforms.local.training.elastic", str(job)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, start_new_session=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self, timeout_s: float) -> int | None:
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def release(self) -> None:
        self._process.communicate()


class ForkedAgent:
    """A copy of this process."""

    def __init__(self, job: Path, environment: Mapping[str, str]) -> None:
        parent, self._pipe = os.pipe()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self._code: int | None = None
        self._pid = os.fork()
        if not self._pid:
            _hold(job, environment, parent)
        os.close(parent)

    @property
    def pid(self) -> int:
        return self._pid

    def wait(self, timeout_s: float) -> int | None:
        deadline = time.monotonic() + timeout_s
        while self._code is None:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            if ended:
                self._code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= deadline:
                return None
            else:
                time.sleep(POLL_S)
        return self._code

    def release(self) -> None:
        os.close(self._pipe)
        self.wait(math.inf)


def agent(job: Path, environment: Mapping[str, str]) -> Agent:
    """The process for a job, as quickly as is safe."""
    return ForkedAgent(job, environment) if _forkable() else StartedAgent(job, environment)


def _forkable() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and alone() and not torch.cuda.is_initialized()


def _hold(job: Path, environment: Mapping[str, str], parent: int) -> NoReturn:
    """Run the job as a fresh Python would, with no descriptor of ours but the output: a lock would be kept by it."""
    code = 1
    try:
        _become_fresh(environment, parent)
        code = elastic.main(job)
    except (Exception, SystemExit):
        log.exception("the workers cannot be held")
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _become_fresh(environment: Mapping[str, str], parent: int) -> None:
    import torch

    os.setsid()
    for number, handler in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        signal.signal(number, handler)
    os.dup2(parent, 0)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.update(environment)
    outermost, _, _ = environment["OMP_NUM_THREADS"].partition(",")  # a number for each level of nesting
    if outermost.isdecimal() and int(outermost):  # OpenMP passes over what else it is set to
        torch.set_num_threads(int(outermost))
    logging.basicConfig(handlers=[], level=logging.WARNING, force=True)
