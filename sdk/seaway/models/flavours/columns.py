"""What flavours of tables share: named columns, or one input that holds them all."""

from collections.abc import Sequence

import numpy as np

from seaway.models.flavours.port import Options
from seaway.models.signature import Array, TensorSpec

ALL = "x"  # the one input of a model that does not name its columns


def numeric_inputs(names: Sequence[str] | None, width: int, datatype: str) -> tuple[TensorSpec, ...]:
    """An input a named column, each [rows, 1], or one of shape [rows, width]."""
    if names:
        return tuple(TensorSpec(name, datatype) for name in names)
    return (TensorSpec(ALL, datatype, (-1, width)),)


def described_inputs(names: Sequence[str], options: Options, datatype: str) -> tuple[TensorSpec, ...]:
    """Named columns, texts where the sample has texts."""
    return tuple(TensorSpec(name, "BYTES" if _is_text(options, name) else datatype) for name in names)


def matrix(arrays: Sequence[Array]) -> Array:
    """[rows, width] of the inputs, side by side."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, 1)


def as_output(values: Array) -> Array:
    """[rows, width] of what a library answers, which is [rows] where the width is 1."""
    return values.reshape(len(values), -1)


def _is_text(options: Options, name: str) -> bool:
    values = np.asarray(options.sample.get(name, ()), object).ravel().tolist()
    return any(isinstance(value, str) for value in values)
