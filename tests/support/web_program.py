"""A web server that is a program of its own: started, waited for, ended."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import urllib3

START_S = 180.0  # on a busy machine
ANSWER_S = 2.0
ENDING_S = 30.0


@contextmanager
def web_program(command: Sequence[str], ready: str, log: Path) -> Iterator[None]:
    """Runs for the length of the block, which begins once the URL `ready` answers 200; what it says goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        _await(process, ready, log)
        yield
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End it, by force where it hangs."""
    process.terminate()
    try:
        process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await(process: "subprocess.Popen[bytes]", ready: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not _answers(ready):
        said = log.read_text(errors="replace")[-3000:]
        assert process.poll() is None, f"It ended:\n{said}"
        assert time.monotonic() < deadline, f"It did not start:\n{said}"
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return urllib3.request("GET", url, retries=False, timeout=ANSWER_S).status == HTTPStatus.OK
    except urllib3.exceptions.HTTPError:
        return False
