"""Texts as token numbers, in memory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.preprocessing import stage
from seaway.training.loop.rows import read_columns, values
from seaway.training.tabular.data import Prepared
from seaway.training.text.params import TextParams


@dataclass(frozen=True)
class Texts:
    """Token numbers int64 [rows, length], and what there is beside them: categories, numbers, labels.

    `drop` is the probability with which a token is `padding` where it is learned from; the network sees no padding.
    """

    tokens: Tensor
    beside: Prepared
    padding: int = 0
    drop: float = 0.0

    @property
    def labels(self) -> Tensor:
        return self.beside.labels

    def batch(self, rows: Tensor, training: bool) -> tuple[Tensor, ...]:
        tokens = self.tokens[rows]
        return self._dropped(tokens) if training and self.drop else tokens, *self.beside.batch(rows, training)

    def _dropped(self, tokens: Tensor) -> Tensor:
        """The first token stays, so that no text is empty; encoders keep their mark of a beginning there."""
        gone = torch.rand(tokens.shape, device=tokens.device) < self.drop
        gone[:, 0] = False
        return tokens.masked_fill(gone, self.padding)

    def to(self, device: torch.device) -> "Texts":
        return replace(self, tokens=self.tokens.to(device), beside=self.beside.to(device))


def read_raw(path: Path, params: TextParams) -> list[Any]:
    """The texts as they are. Raises: DataUnreadable: as `read_columns`."""
    return values(read_columns(path, [params.text]), params.text)


def read_tokens(path: Path, params: TextParams, settings: dict[str, Any], folder: Path) -> Tensor:
    """The column of texts as token numbers, int64 [rows, length], by the stage of `settings`.

    Raises:
        DataUnreadable: as `read_columns`; or a value is no text.
    """
    try:
        tokens = stage(settings, folder).encode(read_raw(path, params))
    except InvalidSpec as error:
        raise DataUnreadable(f"{path}: column {params.text!r}: {error}.") from error
    return torch.from_numpy(tokens)
