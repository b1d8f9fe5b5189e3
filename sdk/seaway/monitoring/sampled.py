"""Rows drawn at random from a file of any size, in one pass and in bounded memory.

A verdict on drift rests on `DriftSpec.rows` rows of each sample anyway: of 20,000 the distance of a column is known to
about 0.01 standard deviations, a tenth of what matters. So no more than `ROWS` are ever held, whatever the file has.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 100_000  # of one file; figures of quality rest on so many, too
BATCH = 65_536  # rows that are decoded at a time
SEED = 0


def sampled(source: Path, rows: int = ROWS) -> "pa.Table":
    """All rows of a Parquet file, or `rows` of them without replacement, in the file's order; always the same ones.

    Raises:
        OSError, pyarrow.ArrowException: the file is no Parquet.
    """
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(source) as file:
        total = file.metadata.num_rows
        if total <= rows:
            return file.read()
        places = np.sort(np.random.default_rng(SEED).choice(total, rows, replace=False))
        parts, start = [], 0
        for group in range(file.num_row_groups):  # a reader of all groups would keep what it has read
            for batch in file.iter_batches(BATCH, row_groups=[group]):
                first, last = np.searchsorted(places, [start, start + batch.num_rows])
                parts.append(batch.take(pa.array(places[first:last] - start)))
                start += batch.num_rows
        return pa.Table.from_batches(parts, file.schema_arrow)
