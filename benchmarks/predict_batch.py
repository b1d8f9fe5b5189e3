"""Predictions of many rows by `predict_batch` beside the plain loop that one writes for it.

The same package and rows, one process and one thread each: read some rows, run the exported model, write. What ours
does besides is verify the package, hash the rows, and write a file a row group that a run after it can go on from.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from pyarrow import parquet
from seaway.models import ExportedModel, verifying_key
from seaway.serving.batch import BatchSpec, predict

from benchmarks import Row, main
from benchmarks.serving_model import CATEGORIES, NUMBERS, make_package

ROWS, GROUP, AT_ONCE, TURNS = 400_000, 100_000, 8192, 3


def measure() -> list[Row]:
    """Both ways in turns; the best of each."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        package, key = make_package(folder / "model", folder / "home"), verifying_key(folder / "home" / "keys")
        rows = folder / "rows.parquet"
        parquet.write_table(_table(), rows, row_group_size=GROUP)
        ours, theirs = [], []
        for turn in range(TURNS):
            answers = folder / f"answers-{turn}"
            ours.append(_seconds(lambda answers=answers: predict(BatchSpec(package, rows, answers, key))))
            theirs.append(_seconds(lambda turn=turn: _plain(package, rows, folder / f"plain-{turn}.parquet")))
        one = parquet.read_table(folder / "answers-0")["probability"]
        assert one.equals(parquet.read_table(folder / "plain-0.parquet")["probability"])
    rate = ROWS / min(ours), ROWS / min(theirs)
    return [Row("predict_batch, rows", *rate, "1/s", ">= 0.9x", "higher", f"{ROWS:,} rows; beside the plain loop")]


def _table() -> pa.Table:
    random = np.random.default_rng(0)
    words = {name: pa.array(random.integers(0, size, ROWS).astype(str)) for name, size in CATEGORIES.items()}
    numbers = {f"number_{place}": pa.array(random.normal(size=ROWS)) for place in range(NUMBERS)}
    return pa.table({**words, **numbers})


def _plain(package: Path, rows: Path, target: Path) -> None:
    model, writer = ExportedModel.load(package), None
    with parquet.ParquetFile(rows) as file:
        for batch in file.iter_batches(AT_ONCE):
            columns = {name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names}
            table = pa.table({"probability": model.predict(columns)["probability"].ravel()})
            writer = writer or parquet.ParquetWriter(target, table.schema)
            writer.write_table(table)
    if writer:
        writer.close()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(measure)
