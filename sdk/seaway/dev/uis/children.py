"""The programs as children of the page: started on first use, asked whether they answer, ended with it."""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Lock

from seaway.dev.uis.known import LOOPBACK, UIS
from seaway.errors import RunFailed
from seaway.platforms.home import home

END_S = 20  # longer than `attached` gives the program
ANSWER_S = 2
TOLD = 2000  # last characters of a program's log
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "FEAST_USAGE": "False"}


@dataclass(frozen=True)
class Child:
    """A started program: its port of loopback and what it says."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    @property
    def answers(self) -> bool:
        """Whether it takes requests by now."""
        connection = HTTPConnection(LOOPBACK, self.port, timeout=ANSWER_S)
        try:
            connection.request("HEAD", "/")
            connection.getresponse()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return True

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace").strip()[-TOLD:]

    def end(self) -> None:
        """End it, and wait until it is gone."""
        if self.process.stdin:
            with suppress(OSError):
                self.process.stdin.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Children:
    """At most one child a program."""

    def __init__(self) -> None:
        self._children: dict[str, Child] = {}
        self._lock = Lock()

    def started(self, name: str) -> Child:
        """The child of a program, which is started where it does not run.

        Raises:
            InvalidSpec: it has nothing to show.
            RunFailed: it has ended since it was last asked for, with its last words; the next call starts it anew.
        """
        with self._lock:
            child = self._children.get(name) or self._start(name)
            if (code := child.process.poll()) is not None:
                del self._children[name]
                told = f"{UIS[name].title} has ended with {code}: {child.last_words()}"
                raise RunFailed(told, child.log)
            return child

    def running(self, name: str) -> Child | None:
        """The child of a program, if it runs."""
        child = self._children.get(name)
        return child if child and child.process.poll() is None else None

    def end(self) -> None:
        """End all."""
        with self._lock:
            for child in self._children.values():
                child.end()
            self._children.clear()

    def _start(self, name: str) -> Child:
        port = _free_port()
        command = [sys.executable, "-m", "seaway.dev.uis.attached", *UIS[name].command(port)]
        log = home() / "dev" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
                env={**os.environ, **QUIET},
            )  # fmt: skip
        self._children[name] = Child(process, port, log)
        return self._children[name]


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        return int(listener.getsockname()[1])
