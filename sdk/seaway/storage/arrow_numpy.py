"""Columns of Parquet files as numpy arrays, without pandas.

Pyarrow's `to_numpy`, `scalar` and `array` import pandas where it is installed, which takes a second of a short step.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

NAN = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([np.nan]))])[0]


def numbers(values: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Numbers of shape [rows], NaN where one is missing."""
    known = values.cast(pa.float64(), safe=False)
    whole = (known.fill_null(NAN) if known.null_count else known).combine_chunks()
    return np.from_dlpack(whole).astype(np.float64, copy=False)


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without its dictionary."""
    return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values


def plain_numpy(values: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column of shape [rows]: numbers, a missing one NaN; booleans without a gap; else objects, None missing."""
    values = plain(values)
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or (pa.types.is_integer(kind) and values.null_count):
        return numbers(values)
    if pa.types.is_integer(kind):
        return np.from_dlpack(values.combine_chunks())
    if pa.types.is_boolean(kind) and not values.null_count:
        return np.from_dlpack(values.cast(pa.uint8()).combine_chunks()).astype(np.bool_)
    return _objects(values)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column's values are strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def coded_texts(values: pa.ChunkedArray) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    """Strings that a column has, each once and None at the end, and for each row the place of its own: [rows]."""
    coded = values.combine_chunks().dictionary_encode()
    known = _array([*coded.dictionary.to_pylist(), None])
    return known, np.from_dlpack(coded.indices.fill_null(len(known) - 1)).astype(np.intp)


def _objects(values: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """Python's values, a text that many rows have made once; None where one is missing."""
    if not is_text(values.type) or not len(values):
        return _array(values.to_pylist())
    known, places = coded_texts(values)
    return known.take(places)


def _array(values: list[Any]) -> npt.NDArray[np.object_]:
    rows = np.empty(len(values), object)
    rows[:] = values
    return rows
