"""Two loops beside each other: epochs interleaved and taking turns to be first."""

import time
from collections.abc import Callable
from statistics import median

Epoch = Callable[[int], object]  # takes the epoch's number, from 1


def rates(ours: Epoch, theirs: Epoch, rows: int, repetitions: int) -> tuple[float, float]:
    """Median rows a second of (ours, theirs); the first epoch of each is not counted."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for epoch in range(1, repetitions + 2):
        runs = [(0, ours), (1, theirs)]
        for side, run in runs if epoch % 2 else reversed(runs):
            started = time.perf_counter()
            run(epoch)
            seconds[side].append(time.perf_counter() - started)
    first, second = (rows / median(taken[1:]) for taken in seconds)
    return first, second
