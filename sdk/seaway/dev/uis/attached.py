"""Runs a program that ends with whoever started it: `python -m seaway.dev.uis.attached PROGRAM ...`.

Its stdin is a pipe that nobody writes to. It is closed when the starter ends, also by SIGKILL; then the program and
what it has started are ended.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE_S = 10.0


def main(command: list[str]) -> int:
    """The program's exit code, once nothing of it is left."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_until_alone, args=(process,), daemon=True).start()
    code = process.wait()
    _signal(process, signal.SIGKILL)  # its own children
    return code


def _until_alone(process: "subprocess.Popen[bytes]") -> None:
    os.read(sys.stdin.fileno(), 1)  # not by its buffer, whose lock an interpreter that ends would want
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
