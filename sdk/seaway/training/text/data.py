"""Texts as token numbers, in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.preprocessing import stage
from seaway.tasks import Task
from seaway.training.loop.rows import read_columns, read_labels, values
from seaway.training.text.params import TextParams


@dataclass(frozen=True)
class Texts:
    """Token numbers int64 [rows, length], and labels as the task has them."""

    tokens: Tensor
    labels: Tensor

    def batch(self, rows: Tensor, training: bool) -> tuple[Tensor, ...]:
        return (self.tokens[rows],)

    def to(self, device: torch.device) -> "Texts":
        return Texts(self.tokens.to(device), self.labels.to(device))


def read_raw(path: Path, params: TextParams) -> list[Any]:
    """The texts as they are. Raises: DataUnreadable: as `read_columns`."""
    return values(read_columns(path, [params.text]), params.text)


def read_texts(path: Path, params: TextParams, task: Task, settings: dict[str, Any], folder: Path) -> Texts:
    """Read the columns that `params` name, by the stage of `settings`.

    Raises:
        DataUnreadable: as `read_columns`; or a value is no text.
    """
    table = read_columns(path, [params.text, params.label])
    try:
        tokens = stage(settings, folder).encode(values(table, params.text))
    except InvalidSpec as error:
        raise DataUnreadable(f"{path}: column {params.text!r}: {error}.") from error
    return Texts(torch.from_numpy(tokens), read_labels(table, path, task))
