"""What `seaway --help` costs above Python with its library, which is the least that any such command costs."""

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from benchmarks import Row, main

REPEATS = 15
OURS = [sys.executable, "-c", "import sys; sys.argv = ['seaway', '--help']; from seaway.cli import main; main()"]
BARE = [sys.executable, "-c", "import typer"]


def measure() -> list[Row]:
    """Wall seconds, median of interleaved starts with warm bytecode."""
    ours: list[float] = []
    bare: list[float] = []
    for start in (_seconds(OURS), _seconds(BARE)):
        start()  # writes bytecode
    for _ in range(REPEATS):
        ours.append(_seconds(OURS)())
        bare.append(_seconds(BARE)())
    note = "other: python -c 'import typer'; the goal is an absolute one: <= 0.3 s"
    return [Row("seaway --help", median(ours), median(bare), "s", "ours <= 0.3 s", "lower", note)]


def _seconds(command: list[str]) -> Callable[[], float]:
    def run() -> float:
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start

    return run


if __name__ == "__main__":
    main(measure)
