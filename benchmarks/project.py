"""From a CSV of 10,000 rows to a promoted canary and a report: `seaway init`, then `seaway run .`, in seconds.

Beside it the processor's seconds of the same, which other work on the machine does not change.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import Row, main

ROWS = 10_000
SEAWAY = Path(sys.executable).with_name("seaway")


def measure() -> list[Row]:
    """Wall seconds beside the processor's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        customers().to_csv(folder / "customers.csv", index=False)
        before, start = _used(), time.perf_counter()
        seaway(folder, "init", "churn", "--from", "customers.csv", "--label", "churned", "--entity", "customer")
        try:
            seaway(folder / "churn", "run", ".", "-p", "latency_margin=0")
            taken, used = time.perf_counter() - start, _used() - before
        finally:
            seaway(folder / "churn", "down", "--all")
    return [Row(f"init and run, {ROWS:,} rows", taken, used, "s", "<= 60 s", "lower", "beside the processor's seconds")]


def customers() -> pd.DataFrame:
    """A yes and a no that two numbers and a plan tell of."""
    random = np.random.default_rng(0)
    age, plan = random.integers(18, 80, ROWS), random.choice(["basic", "plus", "pro"], ROWS)
    chance = 1 / (1 + np.exp(-((age - 50) / 8 + (plan == "basic") - (plan == "pro"))))
    churned = np.where(random.random(ROWS) < chance, "yes", "no")
    return pd.DataFrame({"customer": [f"c{n}" for n in range(ROWS)], "age": age, "plan": plan, "churned": churned})


def seaway(folder: Path, *words: str) -> None:
    """The command as a person gives it, its state in that folder."""
    environment = {name: value for name, value in os.environ.items() if name != "SEAWAY_HOME"}
    subprocess.run([SEAWAY, *words], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def _used() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


if __name__ == "__main__":
    main(measure)
