"""Keras' network as a module of torch, which on Keras' torch backend it is."""

import os
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
import torch.distributed as dist
from torch import Tensor, nn

from seaway.errors import InvalidSpec
from seaway.extras import advice
from seaway.training.keras.params import KerasParams

FUNCTION = "network"
BACKEND = "KERAS_BACKEND"


def keras_on_torch() -> Any:
    """The package. Raises: InvalidSpec: it is not installed, or runs on another backend."""
    os.environ[BACKEND] = "torch"
    try:
        import keras
    except ModuleNotFoundError as error:
        raise InvalidSpec(f"Keras cannot be imported: {error}. {advice(error.name) or 'Install keras.'}") from error
    if keras.config.backend() != "torch":
        raise InvalidSpec(f"Keras was imported with the backend {keras.config.backend()}; set {BACKEND}=torch.")
    return keras


class KerasNetwork(nn.Module):
    """What the file's function makes of one input a column.

    The function gets Keras' inputs by column, float32 [rows, 2] for a number (its standardised value, and 1 where it
    was missing) and int64 [rows] for a text (0 where it is unknown, else from 1); how many known values each text has;
    and how many outputs are wanted. It gives Keras' tensor [rows, outputs], without a sigmoid or softmax.
    """

    def __init__(self, sizes: Sequence[int], params: KerasParams, width: int) -> None:
        super().__init__()
        keras = keras_on_torch()
        self.texts, self.numbers = len(params.categorical), len(params.numeric)
        texts = {name: keras.Input((), dtype="int64", name=name) for name in params.categorical}
        columns = {**texts, **{name: keras.Input((2,), name=name) for name in params.numeric}}
        known = dict(zip(params.categorical, sizes, strict=True))
        outputs = _function(params)(dict(columns), known, width)
        self.model = keras.Model(list(columns.values()), _checked(outputs, params, width))

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Positions int64 [rows, categorical], numbers float32 [rows, 2 numeric] to outputs float32 [rows, width]."""
        texts = [categories[:, index] for index in range(self.texts)]
        pairs = [torch.stack([numbers[:, i], numbers[:, i + self.numbers]], 1) for i in range(self.numbers)]
        outputs: Tensor = self.model([*texts, *pairs], training=self.training)
        return outputs

    def train(self, mode: bool = True) -> Self:
        """Before it is judged, what is no gradient's to change is made the first process's: averages of batches."""
        if self.training and not mode and dist.is_initialized():
            for weight in self.parameters():
                if not weight.requires_grad and weight.is_floating_point():
                    dist.broadcast(weight, src=0)
        super().train(mode)
        return self


def _function(params: KerasParams) -> Any:
    file = Path(params.network).absolute()
    found: Mapping[str, Any] = runpy.run_path(str(file), run_name="seaway_network")
    if not callable(found.get(FUNCTION)):
        raise InvalidSpec(f"{file} has no function {FUNCTION}(columns, categories, outputs); define one.")
    return found[FUNCTION]


def _checked(outputs: Any, params: KerasParams, width: int) -> Any:
    shape = tuple(getattr(outputs, "shape", ()))
    if shape != (None, width):
        raise InvalidSpec(
            f"{FUNCTION} of {params.network} gives {shape or type(outputs).__name__}; the task {params.task} wants "
            f"(None, {width})."
        )
    return outputs
