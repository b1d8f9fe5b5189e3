"""A check of drift at size: 3,000,000 rows of 100 columns on each side, in seconds and memory, beside Evidently's own.

    python -m benchmarks.drift_size [ROWS]

Each way is measured in a process of its own, which tells the seconds that it took and the most memory that it held.
Evidently compares all rows in memory, so it is given fewer, and the ratio is of the same rows.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import Row, main

ROWS, COLUMNS, GROUP = 3_000_000, 100, 250_000
FEW = 50_000  # rows that Evidently is given
MOVED = 5  # of the columns, by half a standard deviation


def measure(rows: int = ROWS) -> list[Row]:
    """Seconds and memory of both ways on the same rows, and of ours on all of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in (FEW, rows):
            write(folder / f"reference-{count}.parquet", count, 0)
            write(folder / f"current-{count}.parquet", count, 1)
        few, theirs, many = (_alone(folder, *how) for how in (("ours", FEW), ("evidently", FEW), ("ours", rows)))
    goal = Row(f"{rows:,} rows x {COLUMNS}", many["seconds"], 120, "s", "<= 120 s", "lower", _told(many))
    same = Row(f"{FEW:,} rows x {COLUMNS}", few["seconds"], theirs["seconds"], "s", "", "lower", _told(few))
    memory = Row("its memory", many["megabytes"], theirs["megabytes"], "MB", "", "lower", f"Evidently: {FEW:,} rows")
    return [goal, same, memory]


def write(file: Path, rows: int, moved: int) -> None:
    """Normal numbers; of the current rows the first few columns have moved."""
    random = np.random.default_rng(moved)
    names = [f"x{place}" for place in range(COLUMNS)]
    with pq.ParquetWriter(file, pa.schema([(name, pa.float32()) for name in names]), compression="none") as writer:
        for start in range(0, rows, GROUP):
            values = random.standard_normal((COLUMNS, min(GROUP, rows - start)), np.float32)
            values[:MOVED] += 0.5 * moved
            writer.write_table(pa.table(list(values), names))


def _alone(folder: Path, how: str, rows: int) -> dict[str, float]:
    program = [sys.executable, "-W", "ignore", "-m", "benchmarks.drift_size", how, str(folder), str(rows)]
    found: dict[str, float] = json.loads(subprocess.run(program, capture_output=True, text=True, check=True).stdout)
    return found


def _told(found: dict[str, float]) -> str:
    return f"{found['drifted']:.0f} columns drifted, {found['megabytes']:,.0f} MB at most"


def ours(folder: Path, rows: int) -> int:
    """What `monitor_drift` does with two files, its pages included; gives the columns that have drifted."""
    from seaway.monitoring.drift import DriftSpec
    from seaway.monitoring.drift_check import drift
    from seaway.monitoring.sampled import sampled

    samples = [sampled(folder / f"{which}-{rows}.parquet").to_pandas() for which in ("reference", "current")]
    return len(drift(*samples, DriftSpec([f"x{n}" for n in range(COLUMNS)]), folder / "out").drifted)


def evidently(folder: Path, rows: int) -> int:
    """Evidently's preset of drift on all rows, and its page."""
    from seaway.monitoring.evidently import import_evidently

    package = import_evidently()
    samples = [pq.read_table(folder / f"{which}-{rows}.parquet").to_pandas() for which in ("current", "reference")]
    report = package.Report([package.presets.DataDriftPreset(), package.presets.DataSummaryPreset()])
    page = report.run(*map(package.Dataset.from_pandas, samples))
    page.save_html(str(folder / "evidently.html"))
    return int(page.dict()["metrics"][0]["value"]["count"])


def one() -> None:
    """One way, in this process."""
    way, folder, rows = sys.argv[1:]
    start = time.perf_counter()
    drifted = {"ours": ours, "evidently": evidently}[way](Path(folder), int(rows))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.perf_counter() - start, "megabytes": megabytes, "drifted": drifted}))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one()
    else:
        main(lambda: measure(*map(int, sys.argv[1:])))
