"""Encoded pictures as tensors: decoded once where they fit into memory, else batch by batch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.preprocessing import stage
from seaway.tasks import Task
from seaway.training.loop.rows import read_columns, read_labels, values
from seaway.training.vision.augmentation import Augmentation
from seaway.training.vision.params import VisionParams

IN_MEMORY = 4 << 30  # bytes of decoded pictures; more are decoded for each batch


class Pictures:
    """The pictures of a column: `labels` as the task has them, batches uint8 [rows, channels, height, width]."""

    def __init__(self, files: Sequence[Any], labels: Tensor, params: VisionParams, augmentation: Augmentation) -> None:
        self.files, self.labels, self._augmentation = files, labels, augmentation
        self._stage = stage(params.stage, None)
        size = len(files) * params.channels * params.size[0] * params.size[1]
        self._decoded = self._decode(range(len(files))) if size <= IN_MEMORY else None

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> "Pictures":
        """Itself, its tensors on the device."""
        self.labels = self.labels.to(device)
        self._decoded = self._decoded if self._decoded is None else self._decoded.to(device)
        return self

    def batch(self, rows: Tensor, training: bool) -> tuple[Tensor, ...]:
        decoded = self._decode(rows.tolist()).to(rows.device) if self._decoded is None else self._decoded[rows]
        return (self._augmentation(decoded) if training else decoded,)

    def _decode(self, rows: Sequence[int]) -> Tensor:
        return torch.from_numpy(self._stage.encode([self.files[row] for row in rows]))

    def moments(self, rows: int) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each channel, over evenly chosen rows, float32 [channels], in units of 255."""
        chosen = np.unique(np.linspace(0, len(self) - 1, rows).astype(int))
        pixels = self.batch(torch.from_numpy(chosen).to(self.labels.device), training=False)[0].cpu().double() / 255
        mean, deviation = pixels.mean((0, 2, 3)), pixels.std((0, 2, 3), correction=0)
        return mean.float(), torch.where(deviation > 0, deviation, torch.ones_like(deviation)).float()


def read_pictures(path: Path, params: VisionParams, task: Task) -> Pictures:
    """Read the columns that `params` name.

    Raises:
        DataUnreadable: as `read_columns`; or a row has no picture, or one that cannot be decoded.
    """
    table = read_columns(path, [params.image, params.label])
    try:
        return Pictures(values(table, params.image), read_labels(table, path, task), params, Augmentation(params))
    except InvalidSpec as error:
        raise DataUnreadable(f"{path}: column {params.image!r}: {error}; leave such rows out.") from error
