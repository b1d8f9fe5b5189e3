"""Start a training as a step would, and find every process that belongs to it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from seaway.training import TrainSpec

MARK = "SEAWAY_TEST_MARK"
WAIT_S = 300  # on a busy machine; a step has torch to import first

STEP = """
import importlib, logging, signal, sys
from pathlib import Path
for library in sys.argv[2:]:
    importlib.import_module(library)
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainSpec
logging.basicConfig(level=logging.INFO)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job has it ignored; a terminal's does not
TorchrunTrainer().train(TrainSpec.read(Path(sys.argv[1]))[0])
"""


def start(spec: TrainSpec, folder: Path, mark: str, *libraries: str) -> subprocess.Popen[str]:
    """Start a step that has imported these libraries; one that has torch hands it on to its workers by a fork."""
    spec.write(folder / "step.json", "")
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, MARK: mark, "PYTHONPATH": path}
    return subprocess.Popen(
        [sys.executable, "-c", STEP, str(folder / "step.json"), *libraries],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def alive(mark: str) -> list[int]:
    """Ids of the processes that carry the mark in their environment and are no zombies."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            marked = wanted in (process / "environ").read_bytes().split(b"\0")
            if marked and ") Z " not in (process / "stat").read_text():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def kill(mark: str) -> None:
    for pid in alive(mark):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def wait_until(condition: Callable[[], bool], pause_s: float = 0.02) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within the time of the test"
        time.sleep(pause_s)


def when(condition: Callable[[], bool], act: Callable[[], object]) -> threading.Thread:
    """Act in the background once it is so."""

    def wait() -> None:
        wait_until(condition, 0.1)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread
