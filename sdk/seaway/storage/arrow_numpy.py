"""Columns of Parquet files as numpy arrays, without pandas.

Pyarrow's `to_numpy`, `scalar` and `array` import pandas where it is installed, which takes a second of a short step.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

NAN = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([np.nan]))])[0]


def numbers(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Numbers of shape [rows], NaN where one is missing."""
    whole = values.cast(pa.float64()).fill_null(NAN).combine_chunks()
    return np.from_dlpack(whole).astype(np.float64, copy=False)
