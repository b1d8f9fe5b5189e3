"""Parquet files to tensors in memory, checked before anything is trained.

Columns become arrays by DLPack: `to_numpy` and `fill_null` of pyarrow import pandas, half a second in each process.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import torch

from seaway.errors import DataUnreadable
from seaway.models.signature import encode
from seaway.tasks import Task
from seaway.training.loop.rows import read_columns, read_labels
from seaway.training.tabular.params import TabularParams

NUMBER_KINDS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
TEXT_KINDS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
SAMPLE_ROWS = 8  # in signature.json; a package is proved on them


@dataclass(frozen=True)
class Examples:
    """categories: int64 hashes [rows, categorical]; numbers: float32 [rows, numeric], NaN missing; labels as the
    task has them.
    """

    categories: torch.Tensor
    numbers: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Prepared:
    """Examples after preprocessing: positions int64 [rows, categorical], numbers float32 [rows, 2 numeric], labels.

    `noise` is the deviation, in deviations of the column, of what is added to numbers that are learned from.
    """

    categories: torch.Tensor
    numbers: torch.Tensor
    labels: torch.Tensor
    noise: float = 0.0

    def batch(self, rows: torch.Tensor, training: bool) -> tuple[torch.Tensor, ...]:
        numbers = self.numbers[rows]
        return self.categories[rows], self._noisy(numbers) if training and self.noise else numbers

    def _noisy(self, numbers: torch.Tensor) -> torch.Tensor:
        """Values with noise, where there are any, then the indicators as they are."""
        values, missing = numbers.chunk(2, 1)
        return torch.cat([values + self.noise * torch.randn_like(values) * (1 - missing), missing], 1)

    def to(self, device: torch.device) -> "Prepared":
        return Prepared(self.categories.to(device), self.numbers.to(device), self.labels.to(device), self.noise)


def read_examples(path: Path, params: TabularParams, task: Task) -> Examples:
    """Read the columns that `params` name.

    Raises:
        DataUnreadable: no Parquet file, no rows, a column that is missing or there twice, text where numbers are wanted
            (or the other way round), an infinite number, a label that is missing or none of the task.
    """
    table = read_columns(path, [*params.categorical, *params.numeric, params.label])
    return Examples(
        _stack([_hashes(table, name, path) for name in params.categorical], table.num_rows, np.int64),
        _stack([_numbers(table, name, path) for name in params.numeric], table.num_rows, np.float32),
        read_labels(table, path, task),
    )


def sample_rows(path: Path, params: TabularParams, rows: int) -> dict[str, list[object]]:
    """The first rows of the input columns as JSON values: a missing number, NaN too, is None."""
    table = read_columns(path, [*params.categorical, *params.numeric]).slice(0, rows)
    texts: dict[str, list[object]] = {name: table[name].to_pylist() for name in params.categorical}
    return texts | {name: _json(_numbers(table, name, path)) for name in params.numeric}


def _json(numbers: npt.NDArray[np.float32]) -> list[object]:
    return [None if math.isnan(value) else value for value in numbers.tolist()]


def _stack(columns: list[npt.NDArray[Any]], rows: int, dtype: npt.DTypeLike) -> torch.Tensor:
    result = np.empty((rows, len(columns)), dtype)
    for index, column in enumerate(columns):
        result[:, index] = column
    return torch.from_numpy(result)


def _hashes(table: pa.Table, name: str, path: Path) -> npt.NDArray[np.int64]:
    """Each distinct text is hashed once; a missing one is a category of its own, as `encode` has it."""
    kind = table.schema.field(name).type
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not any(is_kind(value_type) for is_kind in TEXT_KINDS):
        raise DataUnreadable(f"{path}: categorical column {name!r} holds {kind}; make it text or name it numeric.")
    encoded = table[name].cast(pa.large_string()).combine_chunks().dictionary_encode(null_encoding="encode")
    hashes: npt.NDArray[np.int64] = encode(encoded.dictionary.to_pylist(), "BYTES")
    positions: npt.NDArray[Any] = np.from_dlpack(encoded.indices)
    return np.take(hashes, positions)


def _numbers(table: pa.Table, name: str, path: Path) -> npt.NDArray[np.float32]:
    kind = table.schema.field(name).type
    if not any(is_kind(kind) for is_kind in NUMBER_KINDS):
        raise DataUnreadable(f"{path}: numeric column {name!r} holds {kind}; make it a number or name it categorical.")
    exact = table[name].cast(pa.float64()) if pa.types.is_decimal(kind) else table[name]
    column = pc.cast(exact, pa.float32(), safe=False).combine_chunks()
    values = np.full(len(column), np.nan, np.float32)
    values[np.from_dlpack(column.is_valid().cast(pa.uint8())).view(bool)] = np.from_dlpack(column.drop_null())
    if infinite := int(np.isinf(values).sum()):
        raise DataUnreadable(f"{path}: numeric column {name!r} has {infinite} infinite values; leave them empty.")
    return values
