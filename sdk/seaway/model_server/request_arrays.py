"""The arrays of several requests, one below the other.

A conversion of one value costs nearly as much as one of a hundred, and a table's model has dozens of inputs of one
value a row. So those of a kind are converted together; where that fails, input by input, which names the one at fault.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seaway.errors import InvalidSpec
from seaway.models import Signature, TensorSpec
from seaway.models.signature import Array, encode
from seaway.serving.protocol.request import Columns


def request_arrays(signature: Signature, requests: Sequence[Columns]) -> dict[str, Array]:
    """What `Signature.encode` gives for the requests' rows.

    Raises:
        InvalidSpec: a value is out of range or infinite; the message names the input.
    """
    arrays = dict[str, Array]()
    for specs in signature.alike:
        arrays |= _together(signature, specs, requests) if len(specs) > 1 else _apart(signature, specs, requests)
    return {spec.name: arrays[spec.name] for spec in signature.inputs}


def _together(signature: Signature, specs: Sequence[TensorSpec], requests: Sequence[Columns]) -> dict[str, Array]:
    first = specs[0]
    try:
        block = np.array([_values(spec, requests) for spec in specs], _dtype(first))
        rows = encode(block.reshape(len(specs), -1, *first.shape[1:]), first.datatype, signature.strings)
    except (InvalidSpec, OverflowError):
        return _apart(signature, specs, requests)
    return {spec.name: array for spec, array in zip(specs, rows, strict=True)}


def _apart(signature: Signature, specs: Sequence[TensorSpec], requests: Sequence[Columns]) -> dict[str, Array]:
    return {spec.name: signature.encode_input(spec, _column(spec, requests)) for spec in specs}


def _column(spec: TensorSpec, requests: Sequence[Columns]) -> Any:
    """An input's values, nested by its shape."""
    values = _values(spec, requests)
    if spec.is_list:
        return values
    try:
        array = np.asarray(values, _dtype(spec))
    except OverflowError:  # which the codec words
        array = np.asarray(values, object)
    return array.reshape(-1, *spec.shape[1:])


def _values(spec: TensorSpec, requests: Sequence[Columns]) -> list[Any]:
    return [value for columns in requests for value in columns[spec.name]]


def _dtype(spec: TensorSpec) -> Any:
    """Of values as requests have them, such that none depends on its neighbours; None leaves it to NumPy."""
    if spec.datatype in ("BYTES", "UINT64"):
        return object
    return np.float64 if spec.datatype.startswith("FP") else None  # a missing number is NaN
