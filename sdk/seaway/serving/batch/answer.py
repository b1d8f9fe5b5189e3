"""One part's answers: its row group read, run through the model some rows at a time, and written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.loaded import LoadedModel, load
from seaway.models.signature import Array, Signature, TensorSpec
from seaway.serving.batch.parts import Part
from seaway.storage import atomic_path
from seaway.storage.arrow_numpy import coded_texts, is_text, plain, plain_numpy


class Predictor:
    """A loaded model that answers parts.

    Args:
        package: A verified one.
        threads, rows_at_once, keep: As in `BatchSpec`.
    """

    def __init__(self, package: Path, threads: int, rows_at_once: int, keep: Sequence[str]) -> None:
        self._model: LoadedModel = load(package, threads)
        self._at_once, self._keep = rows_at_once, list(keep)

    def answer(self, part: Part) -> dict[str, int]:
        """Write the part's answers; returns how many values are missing, by output.

        Raises:
            DataUnreadable, InvalidSpec: the rows are not the model's; the message names the file and the row group.
        """
        try:
            tables = list(self._tables(part))
        except (InvalidSpec, OSError, ValueError) as error:
            raise DataUnreadable(f"Row group {part.group} of {part.file} cannot be predicted: {error}") from error
        answers = pa.concat_tables(tables)
        with atomic_path(part.answers) as draft:
            parquet.write_table(answers, draft)
        return {spec.name: _missing(answers[spec.name]) for spec in self._model.signature.outputs}

    def _tables(self, part: Part) -> Iterator[pa.Table]:
        """The answers to some rows after the others."""
        signature = self._model.signature
        columns = {*self._keep, *(spec.name for spec in signature.inputs)}
        with parquet.ParquetFile(part.file) as file:
            read = file.read_row_group(part.group, [name for name in file.schema_arrow.names if name in columns])
        for start in range(0, read.num_rows, self._at_once):
            rows = read.slice(start, self._at_once)
            outputs = self._model.run(
                {spec.name: encoded(rows[spec.name], spec, signature) for spec in signature.inputs}
            )
            yield self._table(rows, outputs, signature)

    def _table(self, rows: pa.Table, outputs: dict[str, npt.NDArray[Any]], signature: Signature) -> pa.Table:
        kept = {name: rows[name] for name in self._keep}
        return pa.table({**kept, **{spec.name: _column(outputs[spec.name]) for spec in signature.outputs}})


def encoded(column: pa.ChunkedArray, spec: TensorSpec, signature: Signature) -> Array:
    """A column by the codec of requests, which is asked once for a text that many rows have. Raises: InvalidSpec."""
    column = plain(column)
    if not is_text(column.type) or spec.preprocessing or spec.is_list:
        return signature.encode_input(spec, values(column, spec))
    known, places = coded_texts(column)
    return signature.encode_input(spec, known)[places]


def values(column: pa.ChunkedArray, spec: TensorSpec) -> Any:
    """A column as `Signature.encode` takes it: [rows], or the rows' lists."""
    column = plain(column)
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)
            or pa.types.is_fixed_size_list(column.type)):  # fmt: skip
        return plain_numpy(column)
    lists = column.to_pylist()
    return lists if spec.is_list else np.asarray(lists, object)


def _column(output: npt.NDArray[Any]) -> pa.Array:
    """An output, [rows, ...]: a scalar a row where there is one, else a list."""
    if output.size == len(output):
        return pa.array(output.ravel())
    flat = pa.array(output.ravel())
    for size in reversed(output.shape[1:]):
        flat = pa.FixedSizeListArray.from_arrays(flat, size)
    return flat


def _missing(column: pa.ChunkedArray) -> int:
    if pa.types.is_floating(column.type):
        return int(np.isnan(plain_numpy(column)).sum())
    return int(column.null_count)
