"""Leads the process group of a step that is started afresh: what a step is to do does not outlive its runner.

Run by its file, `python -I -S guard.py DESCRIPTOR GRACE_S COMMAND ...`, so it imports nothing but the standard
library's smallest part (15 ms). The descriptor is one end of a pipe whose other end only the runner holds: it reads as
ended when the runner is gone, however that was killed. Then the group gets SIGTERM, and SIGKILL after the grace. Else
the guard ends as the command does: by its exit code, or by its signal.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

NOT_FOUND, NOT_STARTED = 127, 126  # as a shell tells it
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the group gets them all, the command too
IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)  # by Python, not by a program that a shell starts


def main(runner: int, grace_s: float, command: Sequence[str]) -> NoReturn:
    """Run the command until it ends or the runner does."""
    ended, wakeup = os.pipe()
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    child = _start(runner, command)
    for number in PASSED_ON:
        signal.signal(number, signal.SIG_IGN)
    while (status := _ended(child)) is None:
        ready, _, _ = select.select([runner, ended], [], [])
        if runner in ready:
            _end(child, grace_s)
        os.read(ended, 512)
    _leave(os.waitstatus_to_exitcode(status))


def _start(runner: int, command: Sequence[str]) -> int:
    """Fork the command; in the child it takes the place of this program, or tells the log why it cannot."""
    if child := os.fork():
        return child
    os.close(runner)
    for number in IGNORED:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - a pipeline's own command, as it is
    except OSError as error:
        os.write(2, f"{command[0]} does not start: {error.strerror}\n".encode())
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_STARTED)


def _ended(child: int) -> int | None:
    pid, status = os.waitpid(child, os.WNOHANG)
    return status if pid else None


def _end(child: int, grace_s: float) -> NoReturn:
    """End the group, and with it this process."""
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while _ended(child) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(0, signal.SIGKILL)
    signal.pause()
    raise SystemExit


def _leave(code: int) -> NoReturn:
    """End as the command did."""
    if code < 0:
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
