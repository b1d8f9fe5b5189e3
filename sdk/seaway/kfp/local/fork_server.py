"""The process that the steps of a run are forked from: it has their libraries, so a step starts in milliseconds.

Run as `python -m seaway.kfp.local.fork_server IMPORT ...` with a Unix socket as standard input, whose other end the
runner holds (`seaway.kfp.local.fork_client`). Each request passes a socket of its own; over it the runner sends the
step as JSON, the step answers with its pid, and this process with the exit code and what was used. While nothing is
asked it imports, one after another. When the runner is gone, so are the steps and this process.

A fork copies the calling thread only, so none may run beside it: a step is refused otherwise, and the runner starts it
afresh. Python's `multiprocessing` has such a server too; its children import the runner's `__main__` anew, and would
outlive a runner that was killed.
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from kfp.dsl.executor_main import executor_main

from seaway.kfp.local import reads, step_process
from seaway.kfp.local.used import Used
from seaway.model_server.processes import alone
from seaway.storage import time_zones

ALLOCATOR = "JE_ARROW_MALLOC_CONF"  # of pyarrow's jemalloc, which starts a thread on import unless told not to
PID, END = b"pid ", b"\n"  # how a step's first answer begins; how a request ends that is whole
WAKE_BYTES = 512
LOOK_S = 0.05  # between looks at groups whose leaders have ended


@dataclass(frozen=True)
class Step:
    """What one child runs: a lightweight component's source, kfp's arguments, and the file for all that it prints."""

    source: str
    arguments: Sequence[str]
    imports: Sequence[str]
    log: str

    def run(self) -> None:
        """What kfp's launcher does in a fresh process."""
        program = Path(tempfile.mkdtemp()) / "ephemeral_component.py"
        program.write_text(self.source, encoding="utf-8")
        reads.watch(reads.file_of(Path(self.log)))
        sys.argv = ["executor_main", "--component_module_path", str(program), *self.arguments]
        executor_main()


class ForkServer:
    """Answers the runner at `control`, and imports meanwhile."""

    def __init__(self, control: socket.socket, imports: Sequence[str]) -> None:
        self._control, self._imports = control, deque(imports)
        self._runners: dict[int, socket.socket] = {}  # pid of a step -> who is told its exit code
        self._wakeup, wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)

    def serve(self) -> Step | None:
        """Until the runner is gone: None. It also returns in each child, with the step that the child has to run."""
        while True:
            if not self._wait(0.0 if self._imports else None, self._control):
                if self._imports:
                    load(self._imports.popleft())
            elif (runner := self._next()) is None:
                self._abandon()
                return None
            elif step := self._fork(runner):
                return step

    def _wait(self, timeout_s: float | None, *requests: socket.socket) -> bool:
        """Whether there is a request within that time; of children that end meanwhile, the runner is told."""
        ready, _, _ = select.select([self._wakeup, *(request.fileno() for request in requests)], [], [], timeout_s)
        if self._wakeup in ready:
            os.read(self._wakeup, WAKE_BYTES)
            self._reap()
        return len(ready) > (self._wakeup in ready)

    def _reap(self) -> None:
        for pid in list(self._runners):  # only these: a library may wait for children of its own
            ended, status, account = os.wait4(pid, os.WNOHANG)
            if ended:
                told = {"code": os.waitstatus_to_exitcode(status), "used": asdict(Used.of(account))}
                with self._runners.pop(pid) as runner, suppress(BrokenPipeError):
                    runner.sendall(json.dumps(told).encode() + END)

    def _next(self) -> socket.socket | None:
        """The socket of the next request; None when the runner is gone."""
        _, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        return socket.socket(fileno=descriptors[0]) if descriptors else None

    def _fork(self, runner: socket.socket) -> Step | None:
        """Fork the step that is asked for; in the child, return it. A refusal closes the socket without a word."""
        with runner.makefile("rb") as stream:
            request = stream.read()
        if not request.endswith(END):
            runner.close()
            return None
        step = Step(**json.loads(request))
        for reference in step.imports:
            load(reference)
        if not alone():
            runner.close()
            return None
        gc.freeze()  # what is shared needs no look of the children's collectors, which would copy it
        if pid := os.fork():
            self._runners[pid] = runner
            return None
        self._become(step, runner)
        return step

    def _become(self, step: Step, runner: socket.socket) -> None:
        """Leave the server: a session and a log of its own, no descriptor of the others, no copied randomness."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(step.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, self._control.detach()), (log, 1), (log, 2)):
            os.dup2(source, target)
        runner.sendall(PID + b"%d\n" % os.getpid())
        for connection in (runner, *self._runners.values()):
            connection.close()
        os.environ.pop(ALLOCATOR, None)
        if numpy := sys.modules.get("numpy"):
            numpy.random.seed()

    def _abandon(self) -> None:
        """End the steps with all that is in their groups, which nobody waits for any more."""
        groups = list(self._runners)
        deadline = time.monotonic() + step_process.grace_s()
        for group in groups:
            step_process.signal_group(group, signal.SIGTERM)
        while any(map(step_process.group_lives, groups)) and (left_s := deadline - time.monotonic()) > 0:
            self._wait(min(left_s, LOOK_S))
        for group in groups:
            step_process.signal_group(group, signal.SIGKILL)


def load(reference: str) -> None:
    """Import `module`, or call `module:function`, which imports; what does not import is the step's to report."""
    module, _, function = reference.partition(":")
    with suppress(Exception), time_zones.heeded():
        loaded = importlib.import_module(module)
        if function:
            getattr(loaded, function)()


def end_with(code: int) -> NoReturn:
    """End as Python does, but for taking its modules down: that touches, and so copies, all that is shared (0.7 s)."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def run(step: Step) -> int:
    """Run a step and return its exit code, with what ended it in its log."""
    try:
        step.run()
    except SystemExit as end:
        if isinstance(end.code, int | None):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException as error:  # noqa: BLE001 - this is where Python's own report of it would be
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def main(imports: Sequence[str]) -> None:
    """Serve; in a child, run its step and end."""
    control = socket.socket(fileno=sys.stdin.fileno())
    if step := ForkServer(control, imports).serve():
        end_with(run(step))


if __name__ == "__main__":
    main(sys.argv[1:])
