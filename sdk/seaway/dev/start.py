"""Starting a run from the page, and ending one: a process of its own, which goes on when the page has ended."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec, RunFailed
from seaway.kfp.local.records import record, record_files
from seaway.kfp.local.run_state import as_it_is
from seaway.platforms.home import home
from seaway.process_identity import running
from seaway.storage import read_json

LOOK_S = 0.05
COMPILED_S = 120  # within which a pipeline is compiled
NEWEST = 20  # records that are looked at: a run's name begins with its time


def start(source: str, arguments: Mapping[str, object]) -> str:
    """Start a run of a pipeline, as `seaway run` names it, and return its name once it has one.

    Raises:
        InvalidSpec: no such pipeline or parameter, or a value of the wrong type; nothing runs.
        RunFailed: it ended before it began; the message has what it said.
    """
    process, log = _process(source, arguments)
    while process.poll() is None:
        if run := _run_of(process.pid):
            return run
        time.sleep(LOOK_S)
    if run := _run_of(process.pid):  # a short one
        return run
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    if process.returncode == 2:  # noqa: PLR2004  # of wrong arguments
        raise InvalidSpec(said)
    raise RunFailed(f"The run of {source} ended before its first step: {said[-2000:] or process.returncode}", log)


def describe(source: str) -> dict[str, Any]:
    """A pipeline's compiled form, made by a process of its own.

    Raises:
        InvalidSpec: no such pipeline, or its file does not compile.
    """
    command = [sys.executable, "-m", "seaway.dev.describe_process", source]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=COMPILED_S)
    if done.returncode:
        raise InvalidSpec(done.stderr.strip()[-2000:] or f"{source} cannot be compiled.")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def stop(run: str) -> None:
    """End a run as Ctrl-C would; one that has ended already is left as it is.

    Raises:
        InvalidSpec: there is no such run.
    """
    found = record(run)
    if found["state"] == "running" and running(found["process"], found["process_started"]):
        os.kill(found["process"], signal.SIGTERM)


def _process(source: str, arguments: Mapping[str, object]) -> tuple["subprocess.Popen[bytes]", Path]:
    folder = home() / "dev" / "started"
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "seaway.dev.run_process", source],
            stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    if process.stdin:
        process.stdin.write(json.dumps(arguments).encode())
        process.stdin.close()
    return process, log


def _run_of(pid: int) -> str:
    """The run of a process, once it has written its record."""
    for file in record_files()[:NEWEST]:
        found = as_it_is(read_json(file))
        if found["process"] == pid:
            return str(found["run"])
    return ""
