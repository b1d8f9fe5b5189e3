"""What the two-sample test of embeddings finds: how often samples that differ by so much count as drifted.

    python -m benchmarks.drift_embeddings [--repetitions 20]

Embeddings of 64 numbers, of which few directions vary much, as those of networks do. Samples are moved along all of
them at once, by so many of their standard deviations together, or a share of the rows is of another kind, or whole days
share a part, which is no drift. Counted is what `monitor_drift` counts: p < 0.05 and a distance above 0.1.
"""

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from seaway.monitoring.embeddings import difference

SIZE, DAYS = 64, 14
ROWS = (100, 200, 500)
SHIFTS, SHARES = (0.0, 0.1, 0.2, 0.3, 0.5), (0.1, 0.2, 0.4)
LEVEL, EFFECT = 0.05, 0.1
MIXING = np.random.default_rng(0).normal(size=(SIZE, SIZE)) * np.geomspace(1, 0.01, SIZE)[:, None]

Sample = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=20)
    repetitions = parser.parse_args().repetitions
    table = Table("what differs", *(f"{rows} rows" for rows in ROWS), title=f"of {repetitions} pairs, drifted")
    for name, found in measured(repetitions):
        table.add_row(name, *map(str, found))
    Console().print(table)


def measured(repetitions: int) -> Iterator[tuple[str, Sequence[int]]]:
    """What differs, and of so many pairs those that count as drifted, by `ROWS`."""
    cases = [(f"a shift by {shift:g} standard deviations", {"shift": shift}) for shift in SHIFTS]
    cases += [(f"{share:.0%} of the rows are of another kind", {"share": share}) for share in SHARES]
    cases += [(f"nothing, rows of {DAYS} days that share a part", {"days": float(DAYS)})]
    for name, options in cases:
        yield name, [sum(drifted(rows, seed, **options) for seed in range(repetitions)) for rows in ROWS]


def drifted(rows: int, seed: int, shift: float = 0.0, share: float = 0.0, days: float = 0.0) -> bool:
    """Whether a sample that was changed counts as drifted against one that was not; days are in both."""
    first, second = sample(rows, seed, days=int(days)), sample(rows, 10_000 + seed, shift, share, int(days))
    found = difference(first[0], second[0], first[1], second[1])
    return found.p_value < LEVEL and found.distance > EFFECT


def sample(rows: int, seed: int, shift: float = 0.0, share: float = 0.0, days: int = 0) -> Sample:
    """Embeddings [rows, SIZE], and the day of each."""
    random = np.random.default_rng(seed)
    inner = random.normal(size=(rows, SIZE)) + shift / np.sqrt(SIZE)
    inner[: round(share * rows)] += random.normal(size=SIZE) * 2 / np.sqrt(SIZE) + 1 / np.sqrt(SIZE)
    moments = np.arange(rows) % days if days else np.arange(rows)
    if days:
        inner += random.normal(size=(days, SIZE))[moments]
    return inner @ MIXING, moments


if __name__ == "__main__":
    main()
