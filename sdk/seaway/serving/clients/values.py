"""Values of Python, NumPy and pandas as the protocol has them, and back: one conversion for REST and gRPC."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from seaway.errors import InferenceUnavailable, InvalidSpec
from seaway.models.signature import encode

Array = npt.NDArray[Any]
RESULT_DTYPES = {"FP16": "float16", "FP32": "float32", "FP64": "float64", "BOOL": "bool", "BYTES": "object"}


def as_tensor(name: str, values: Array | Sequence[Any], datatypes: Mapping[str, str]) -> dict[str, Any]:
    """An input as a request's JSON has it: `data` flat, of str, bool, int, float, and None for what is missing.

    Raises:
        InvalidSpec: the model has no such input, or a value cannot be of its datatype.
    """
    if name not in datatypes:
        raise InvalidSpec(f"The model has no input {name!r}; it takes {sorted(datatypes)}.")
    array = np.asarray(values, object)
    try:
        data = [_plain(value) for value in array.ravel().tolist()]
        encode(data, datatypes[name])
    except (InvalidSpec, UnicodeDecodeError) as error:
        raise InvalidSpec(f"Input {name!r} ({datatypes[name]}) cannot be sent: {error}") from error
    if not array.shape:
        raise InvalidSpec(f"Input {name!r} is a single value; give a list with one entry a row.")
    return {"name": name, "datatype": datatypes[name], "shape": list(array.shape), "data": data}


def as_array(output: Mapping[str, Any]) -> Array:
    """An output of a response's JSON. Raises: InferenceUnavailable where it is none."""
    try:
        dtype = RESULT_DTYPES.get(output["datatype"], str(output["datatype"]).lower())
        return np.array(output["data"], dtype=dtype).reshape(output["shape"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InferenceUnavailable(f"An output is none of the Open Inference Protocol: {error!r}.") from error


def _plain(value: Any) -> Any:
    """A value as JSON knows it; NaN, NaT and pandas' NA are missing."""
    plain = value.item() if isinstance(value, np.generic) else value
    if type(plain).__name__ in {"NAType", "NaTType"} or (isinstance(plain, float) and math.isnan(plain)):
        return None
    if isinstance(plain, bytes):
        return plain.decode("utf-8")
    return float(plain) if isinstance(plain, Decimal) else plain
