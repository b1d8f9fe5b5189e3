"""What a model takes on a device: the encoded inputs of its signature, without integers or floats of 64 bits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seaway.edge.halves import split
from seaway.errors import ConversionRefused, InvalidSpec
from seaway.models.signature import HASHED, Array, Signature, TensorSpec

HIGH, LOW = "high", "low"
NARROWED = {"int64": "int32", "uint64": "int32", "uint32": "int32", "uint16": "int32", "float64": "float32"}


@dataclass(frozen=True)
class EdgeInput:
    """One tensor of a model on a device.

    Attributes:
        name: an identifier, which every format takes.
        of: the signature's input.
        part: `high` or `low` where it is half of a text's hash, else empty.
        dtype: NumPy's name.
        shape: of one row, with the row's own size 1 first.
        cast: what the graph makes of it at once; empty where it takes it as it is.
    """

    name: str
    of: str
    part: str
    dtype: str
    shape: tuple[int, ...]
    cast: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))


def edge_inputs(signature: Signature) -> tuple[EdgeInput, ...]:
    """The tensors in the order of the signature's inputs, a hash as two.

    Raises:
        ConversionRefused: an input is a list of any length.
    """
    if not signature.sample:
        raise InvalidSpec(
            f"The signature of {signature.name} has no sample, so nobody can say what its graph is given."
        )
    row = signature.encode({name: values[:1] for name, values in signature.sample.items()})
    return tuple(
        one
        for place, spec in enumerate(signature.inputs)
        for one in _of(place, spec, row[spec.name], signature.strings)
    )


def edge_arrays(inputs: Sequence[EdgeInput], encoded: Mapping[str, Array]) -> list[Array]:
    """What `Signature.encode` gives, as [rows, ...] arrays for the device.

    Raises:
        InvalidSpec: an integer is beyond 32 bits.
    """
    return [_part(one, encoded[one.of]) for one in inputs]


def _of(place: int, spec: TensorSpec, row: Array, strings: str) -> list[EdgeInput]:
    if spec.is_list:
        raise ConversionRefused(
            f"Input {spec.name!r} is a list of any length; on a device a tensor has one size. Export the model with a "
            "fixed length, and fill shorter rows up."
        )
    if spec.datatype == "BYTES" and strings == HASHED and not spec.preprocessing:
        return [EdgeInput(f"in{place}_{part}", spec.name, part, "int32", row.shape) for part in (HIGH, LOW)]
    given = row.dtype.name
    dtype = NARROWED.get(given, given)
    return [EdgeInput(f"in{place}", spec.name, "", dtype, row.shape, given if dtype != given else "")]


def _part(one: EdgeInput, array: Array) -> Any:
    if one.part:
        return split(array)[(HIGH, LOW).index(one.part)]
    narrow = array.astype(one.dtype)
    if array.dtype.kind in "iu" and not np.array_equal(narrow, array):
        raise InvalidSpec(f"Input {one.of!r} holds a number beyond 32 bits, the most that a device takes.")
    return narrow
