"""Columns of the Parquet files that a trainer reads, and what their labels tell of the task."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from seaway import tasks
from seaway.errors import DataUnreadable
from seaway.storage.arrow_numpy import plain_numpy
from seaway.tasks import Task
from seaway.training.loop.params import LoopParams


def learn_task(path: Path, params: LoopParams) -> Task:
    """The task of `params`, with what the training labels tell of it.

    Raises:
        InvalidSpec: there is no such task.
        DataUnreadable: as `read_columns`.
    """
    values = plain_numpy(read_columns(path, [params.label])[params.label])
    unit = params.units.get(params.label, "")
    return tasks.named(params.task, params.label, values, str(path), classes=params.classes, unit=unit)


def read_labels(table: pa.Table, path: Path, task: Task) -> torch.Tensor:
    """Labels as the task's loss takes them. Raises: DataUnreadable: one is missing, or none of the task."""
    labels = task.labels(plain_numpy(table[task.target.label]), str(path))
    return torch.from_numpy(task.training_labels(labels).copy())


def read_columns(path: Path, columns: list[str]) -> pa.Table:
    """Raises: DataUnreadable: no Parquet file, no rows, a column that is missing or there twice."""
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise DataUnreadable(f"{path} cannot be read as Parquet: {error}") from error
    there = file.schema_arrow.names
    if missing := [name for name in columns if name not in there]:
        raise DataUnreadable(f"{path} has no column {', '.join(missing)}; it has: {', '.join(there)}.")
    if twice := [name for name in columns if there.count(name) > 1]:
        raise DataUnreadable(f"{path} has more than one column {', '.join(twice)}; give each column a name of its own.")
    if file.metadata.num_rows == 0:
        raise DataUnreadable(f"{path} has no rows; the split or the filter before it left nothing to train on.")
    return file.read(columns=columns)


def values(table: pa.Table, name: str) -> list[Any]:
    """A column as Python has it, without its dictionary."""
    found: list[Any] = plain_numpy(table[name]).tolist()
    return found
