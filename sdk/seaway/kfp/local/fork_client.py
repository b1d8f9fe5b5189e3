"""Starting steps by the fork server of a run, which imports their libraries once (`fork_server.py`)."""

import json
import logging
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.kfp.local import step_process
from seaway.kfp.local.fork_server import ALLOCATOR, END, PID
from seaway.kfp.local.kfp_launcher import Program
from seaway.kfp.local.preload import imports
from seaway.kfp.local.used import Used

OPENMP = {"OMP_WAIT_POLICY": "PASSIVE"}  # read once, when torch is imported: no spinning on cores that steps share
END_BYTES = 256
SERVER_S = 10.0  # for the server to end, beyond the grace that it gives its steps

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ForkedStep:
    """A step that the fork server waits for; `server` is the socket on which it tells the exit code."""

    pid: int
    server: socket.socket

    def poll(self) -> int | None:
        """The exit code once it has ended; SIGKILL's where the server has, which cannot tell any more."""
        told = self._told()
        return None if told is None else int(told.get("code", -signal.SIGKILL))

    @property
    def used(self) -> Used | None:
        """What it used, once it has ended and the server could still tell."""
        told = self._told() or {}
        return Used(**told["used"]) if "used" in told else None

    def _told(self) -> dict[str, Any] | None:
        """What the server says of its end; None while it runs, nothing where the server is gone."""
        try:
            told = self.server.recv(END_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        return dict(json.loads(told)) if told else {}

    def wait(self) -> int:
        """Wait for the exit code."""
        while (code := self.poll()) is None:
            select.select([self.server], [], [])
        return code


class Forks:
    """The steps of one run that are forked; the server starts with the first of them.

    Args:
        environment: of the server and so of its steps.
        preload: what the steps will import, in the order of the steps; see `seaway.kfp.local.preload`.
        log_file: what the server prints.
    """

    def __init__(self, environment: Mapping[str, str], preload: Sequence[str], log_file: Path) -> None:
        self._control, theirs = socket.socketpair()
        own = {"_KFP_RUNTIME": "true", ALLOCATOR: "background_thread:false", **OPENMP}
        with theirs, log_file.open("ab") as output:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "seaway.kfp.local.fork_server", *preload],
                stdin=theirs.fileno(),
                stdout=output.fileno(),
                stderr=subprocess.STDOUT,
                env={**environment, **own},
                start_new_session=True,
            )
        self._steps: list[ForkedStep] = []

    def start(self, program: Program, log_file: Path) -> ForkedStep | None:
        """Fork a step with all that it prints in `log_file`; None where the server cannot."""
        log_file.parent.mkdir(parents=True, exist_ok=True)
        told = {"source": program.source, "arguments": program.arguments}
        request = {**told, "imports": imports([program.source]), "log": str(log_file)}
        ours, theirs = socket.socketpair()
        with suppress(BrokenPipeError, ConnectionResetError):
            with theirs:
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
            ours.sendall(json.dumps(request).encode() + END)
            ours.shutdown(socket.SHUT_WR)
        with ours.makefile("rb", buffering=0) as answers:
            pid = answers.readline()
        if not pid.startswith(PID):
            log.warning("The fork server refused a step; see %s.", log_file)
            ours.close()
            return None
        self._steps.append(ForkedStep(int(pid.removeprefix(PID)), ours))
        return self._steps[-1]

    def close(self) -> None:
        """End the server, which ends what it still has."""
        self._control.close()
        try:
            self._server.wait(step_process.grace_s() + SERVER_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        for step in self._steps:
            step.server.close()
