"""Values of Python, NumPy and pandas as the protocol has them, and back: one conversion for REST and gRPC."""

import base64
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from seaway.errors import InferenceUnavailable, InvalidSpec
from seaway.models.signature import encode

Array = npt.NDArray[Any]
BASE64 = "base64"  # content type of a binary input, as MLServer words it
RESULT_DTYPES = {"FP16": "float16", "FP32": "float32", "FP64": "float64", "BOOL": "bool", "BYTES": "object"}


def plain_answer(value: Any) -> Any:
    """A row's value as JSON has it: a list of one is that one, NaN is null."""
    if isinstance(value, list):
        values = [plain_answer(one) for one in value]
        return values[0] if len(values) == 1 else values
    return None if isinstance(value, float) and math.isnan(value) else value


def as_tensor(name: str, values: Array | Sequence[Any], datatypes: Mapping[str, str]) -> dict[str, Any]:
    """An input as a request has it: `data` flat, of str, bytes, bool, int, float, and None for what is missing.

    Raises:
        InvalidSpec: the model has no such input, or a value cannot be of its datatype.
    """
    if name not in datatypes:
        raise InvalidSpec(f"The model has no input {name!r}; it takes {sorted(datatypes)}.")
    array = np.asarray(values, object)
    try:
        data = [_plain(value) for value in array.ravel().tolist()]
        encode(data, datatypes[name])
    except InvalidSpec as error:
        raise InvalidSpec(f"Input {name!r} ({datatypes[name]}) cannot be sent: {error}") from error
    if not array.shape:
        raise InvalidSpec(f"Input {name!r} is a single value; give a list with one entry a row.")
    return {"name": name, "datatype": datatypes[name], "shape": list(array.shape), "data": data}


def as_json(tensor: Mapping[str, Any], binary: bool) -> dict[str, Any]:
    """An input as JSON has it: bytes of a `binary` one in base64, others as the text that they are.

    Raises:
        InvalidSpec: they are no text.
    """
    try:
        data = [_text(value, binary) if isinstance(value, bytes) else value for value in tensor["data"]]
    except UnicodeDecodeError as error:
        raise InvalidSpec(f"Input {tensor['name']!r} is text, and holds bytes that are no UTF-8: {error}.") from error
    told = {"parameters": {"content_type": BASE64}} if binary else {}
    return {**tensor, "data": data, **told}


def _text(value: bytes, binary: bool) -> str:
    return base64.b64encode(value).decode() if binary else value.decode("utf-8")


def as_array(output: Mapping[str, Any]) -> Array:
    """An output of a response's JSON. Raises: InferenceUnavailable where it is none."""
    try:
        dtype = RESULT_DTYPES.get(output["datatype"], str(output["datatype"]).lower())
        if output["data"] is None:
            raise TypeError("its data are null")
        return np.array(output["data"], dtype=dtype).reshape(output["shape"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InferenceUnavailable(f"An output is none of the Open Inference Protocol: {error!r}.") from error


def _plain(value: Any) -> Any:
    """A value as JSON knows it; NaN, NaT and pandas' NA are missing."""
    plain = value.item() if isinstance(value, np.generic) else value
    if type(plain).__name__ in {"NAType", "NaTType"} or (isinstance(plain, float) and math.isnan(plain)):
        return None
    return float(plain) if isinstance(plain, Decimal) else plain
