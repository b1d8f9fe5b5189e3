"""A process of its own for a model that nobody vouches for: bounded memory and time, and no secrets in its environment.

A native parser that crashes, a shape of terabytes or an endless loop ends that process. The files were looked at before
anything loads them; this is for what cannot be seen by looking.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from seaway import errors
from seaway.errors import PackageRefused

OUTCOME = ".outcome.json"
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "OMP_NUM_THREADS", "LD_LIBRARY_PATH")
LAST = 300  # characters of what the process wrote


@dataclass(frozen=True)
class Limits:
    """Bytes that may be allocated, by default half of the machine's memory; seconds that it may take."""

    memory: int = 0
    seconds: float = 600.0

    @property
    def bytes(self) -> int:
        return self.memory or psutil.virtual_memory().total // 2


def run_apart(order: Mapping[str, Any], folder: Path, limits: Limits) -> None:
    """Adopt and prove a model into `folder`, see `seaway.models.importing.__main__`.

    Raises:
        PackageRefused, InvalidSpec, DataUnreadable: as told by the process, or that it ended without a word.
    """
    command = [sys.executable, "-m", "seaway.models.importing", str(folder), str(limits.bytes)]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        done = subprocess.run(
            command,
            input=json.dumps(order, default=str),  # times of a table are no inputs, and no JSON
            capture_output=True,
            text=True,
            timeout=limits.seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PackageRefused(
            f"{order['source']} did not answer its sample within {limits.seconds:g} s; it is refused. Give it a "
            "smaller sample, or more time."
        ) from error
    _tell(order, folder / OUTCOME, done)


def _tell(order: Mapping[str, Any], outcome: Path, done: "subprocess.CompletedProcess[str]") -> None:
    if outcome.is_file():
        told = json.loads(outcome.read_text(encoding="utf-8"))
        outcome.unlink()
        if told:
            raise getattr(errors, told["error"])(told["message"])
        return
    raise PackageRefused(
        f"{order['source']} ended the process that tried it ({_end(done.returncode)}); it is damaged, hostile, or "
        f"larger than the memory that it may take. Its last words: {' '.join(done.stderr.split())[-LAST:] or 'none'}"
    )


def _end(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
