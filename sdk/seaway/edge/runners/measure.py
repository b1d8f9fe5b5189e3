"""Runs one model on the device that this file is copied to, and tells what it answers and what it costs.

python measure.py FOLDER ROWS.npz OUT [THREADS]

Stands alone: it imports NumPy and the target's runtime only, by the target's `runner.py` beside it. ROWS.npz has the
arrays `arr_0`, `arr_1` ..., each [rows, ...]; OUT gets `answers.npz`, an array for each output, and `figures.json`.
"""

import importlib
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP = 10  # runs that are not counted
LEAST_RUNS = 200


def main(folder: Path, rows: Path, out: Path, threads: int) -> None:
    with np.load(rows, allow_pickle=False) as given:
        arrays = [np.ascontiguousarray(given[f"arr_{place}"]) for place in range(len(given.files))]
    sys.path.insert(0, str(Path(__file__).parent))
    runner = importlib.import_module("runner")
    before = peak_bytes()
    started = time.perf_counter()
    answer = runner.load(folder, threads)
    loaded = time.perf_counter() - started
    answers, seconds = timed(answer, [[array[row : row + 1] for array in arrays] for row in range(len(arrays[0]))])
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / "answers.npz", *answers)
    figures = {
        "rows": len(arrays[0]),
        "runs": len(seconds),
        "threads": threads,
        "load_ms": 1000 * loaded,
        "p50_ms": 1000 * float(np.quantile(seconds, 0.5)),
        "p99_ms": 1000 * float(np.quantile(seconds, 0.99)),
        "peak_memory_bytes": peak_bytes(),
        "memory_bytes": peak_bytes() - before,
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} processors",
    }
    (out / "figures.json").write_text(json.dumps(figures))


def timed(
    answer: Callable[[Sequence[Any]], Sequence[Any]], rows: Sequence[Sequence[Any]]
) -> tuple[list[Any], list[float]]:
    """The outputs of all rows, each [rows, ...], and seconds of each run; rows are gone through again where few."""
    for row in rows[:WARM_UP]:
        answer(row)
    answers: list[list[Any]] = []
    seconds: list[float] = []
    while len(seconds) < max(LEAST_RUNS, len(rows)):
        for row in rows:
            started = time.perf_counter()
            given = answer(row)
            seconds.append(time.perf_counter() - started)
            if len(answers) < len(rows):
                answers.append([np.array(value) for value in given])
    return [np.concatenate(values) for values in zip(*answers, strict=True)], seconds


def peak_bytes() -> int:
    """The most memory that this process has held. On Linux from /proc, for getrusage counts what started it as well."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if sys.argv[4:] else 1)
