"""The page on loopback: how soon it is there, what 500 runs cost it, and what it costs a run.

python -m benchmarks dev
"""

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import psutil

from benchmarks import Row, main

STARTS, RUNS_TIMED, RUNS_KEPT, STEPS = 5, 7, 500, 23
SAMPLE = Path(__file__).parents[1] / "tests" / "support" / "local" / "sample_pipeline.py"
SEAWAY = (sys.executable, "-c", "from seaway.cli import main; main()")
MIB = 1 << 20


def measure() -> list[Row]:
    """Start, memory, overhead."""
    folder = Path(tempfile.mkdtemp(prefix="seaway-bench-"))
    try:
        return [_start(folder), _memory(folder), _overhead(folder)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> Row:
    ours = statistics.median(_seconds_to_a_page(folder / "start") for _ in range(STARTS))
    theirs = statistics.median(_seconds_to_mlflow(folder / "mlflow") for _ in range(STARTS))
    return Row("start of the page, beside mlflow server", ours, theirs, "s", "<= 1 s", "lower")


def _seconds_to_a_page(home: Path) -> float:
    begun = time.perf_counter()
    with _page(home) as (url, token, _):
        _get(url, "/", token)
        return time.perf_counter() - begun


def _seconds_to_mlflow(folder: Path) -> float:
    folder.mkdir(exist_ok=True)
    port = "8871"
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--port",
        port,
        "--backend-store-uri",
        f"sqlite:///{folder}/m.db",
    ]
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError):
                _get(f"http://127.0.0.1:{port}", "/health", "")
                return time.perf_counter() - begun
            time.sleep(0.01)
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        for one in (*children, process):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.terminate()
        process.wait()


def _memory(folder: Path) -> Row:
    home = folder / "memory"
    empty = _resident(home)
    for number in range(RUNS_KEPT):
        _write_run(home, number)
    note = f"of {STEPS} steps each, the list and ten runs looked at"
    return Row(f"memory with {RUNS_KEPT} runs, beside none", _resident(home), empty, "MiB", "", "lower", note)


def _resident(home: Path) -> float:
    with _page(home) as (url, token, process):
        names = sorted(path.name for path in (home / "runs").glob("*"))[:10]
        for path in ("/", "/", *(f"/runs/{name}" for name in names)):
            _get(url, path, token)
        return process.memory_info().rss / MIB


def _write_run(home: Path, number: int) -> None:
    output = {
        "type": "system.Dataset",
        "uri": "/x" * 40,
        "metadata": {f"key {place}": "value" * 10 for place in range(8)},
    }
    step = {
        "name": "train", "title": "Train", "place": "train", "log": "/x", "state": "succeeded", "seconds": 1.0,
        "attempts": 1, "figure": "loss 0.5", "why": "", "reason": "", "begun": 1e9, "outputs": {"table": output},
    }  # fmt: skip
    record = {
        "run": f"20260101-000000-{number:04x}", "pipeline": "sample", "source": "", "arguments": {}, "total": STEPS,
        "state": "succeeded", "reason": "", "begun": 1e9, "seconds": 60.0, "process": 1, "process_started": 0.0,
        "steps": [{"number": place + 1, **step} for place in range(STEPS)],
    }  # fmt: skip
    folder = home / "runs" / record["run"]
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record))


def _overhead(folder: Path) -> Row:
    """Processor time of a page that is looked at while runs go on, beside the runs': a load around changes neither."""
    home = folder / "overhead"
    _processor_s_of_a_run(home)  # what is made once
    with _page(home) as (url, token, process), _reader(url, "/live/runs", token):
        before = _processor_s(process)
        theirs = sum(_processor_s_of_a_run(home) for _ in range(RUNS_TIMED))
        ours = _processor_s(process) - before
    note = f"{RUNS_TIMED} runs of 3 steps; other: the runs"
    return Row("processor time of the page while runs go on", ours, theirs, "s", "<= 0.02x", "lower", note)


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _processor_s_of_a_run(home: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [*SEAWAY, "run", str(SAMPLE), "--no-cache"]
    subprocess.run(command, env=_environment(home), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextlib.contextmanager
def _reader(url: str, path: str, token: str) -> Iterator[None]:
    answer, connection = _asked(url, path, token)
    thread = threading.Thread(target=_drain, args=(answer,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        connection.sock.shutdown(socket.SHUT_RDWR)
        thread.join()


def _drain(answer: HTTPResponse) -> None:
    with contextlib.suppress(OSError, ValueError):
        for _ in answer:
            pass


@contextlib.contextmanager
def _page(home: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    process = subprocess.Popen(
        [*SEAWAY, "dev", "--port", "0"], env=_environment(home), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        found = re.search(r"(http://[\d.]+:\d+)", process.stdout.readline())
        assert found
        yield found[1], (home / "dev" / "token").read_text(), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "SEAWAY_HOME": str(home), "PYTHONUNBUFFERED": "1"}


def _asked(url: str, path: str, token: str) -> tuple[HTTPResponse, HTTPConnection]:
    connection = HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    return connection.getresponse(), connection


def _get(url: str, path: str, token: str) -> None:
    answer, connection = _asked(url, path, token)
    answer.read()
    connection.close()


if __name__ == "__main__":
    main(measure)
