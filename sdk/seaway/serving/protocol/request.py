"""An inference request as a model takes it: read from an Open Inference Protocol object, or refused by a sentence.

Who writes a request is unknown, so nothing in it is believed: every field has a type, and null means that it is absent.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec
from seaway.models import Signature, TensorSpec

# Flat JSON values by input, row by row; bytes where the input is binary, a list a row where it is of lists.
Columns = Mapping[str, list[Any]]

INTEGERS: set[type] = {int}
NUMBERS: set[type] = {int, float, type(None)}
KINDS: dict[str, set[type]] = {
    "BYTES": {str, bytes, type(None)},
    "BOOL": {bool},
    "FP16": NUMBERS,
    "FP32": NUMBERS,
    "FP64": NUMBERS,
}  # JSON values, and the bytes of gRPC
LARGEST_MESSAGE = 6_553_500  # bytes of a request, and of an answer: what TorchServe takes unless told otherwise
TOLD = 80  # characters of a value that a message repeats


@dataclass(frozen=True)
class InferenceRequest:
    """`columns` has exactly the model's inputs, each of `rows` rows; `outputs` names what is wanted, empty for all.

    Values of an input of lists are a list a row, nested as the row is.
    """

    columns: Columns
    rows: int
    outputs: frozenset[str] = frozenset()
    id: str | None = None


def read_request(body: object, signature: Signature) -> InferenceRequest:
    """Raises: InvalidSpec, which names the field or the input."""
    if not isinstance(body, dict):
        raise InvalidSpec("The request is no JSON object; send an Open Inference Protocol object.")
    inputs = {spec.name: spec for spec in signature.inputs}
    tensors = _by_name(body, "inputs")
    if tensors.keys() != inputs.keys():
        missing, unknown = sorted(inputs.keys() - tensors.keys()), sorted(tensors.keys() - inputs.keys())
        raise InvalidSpec(
            f"Inputs are missing: {missing}, or unknown: {_told(unknown)}; the model takes {sorted(inputs)}."
        )
    read = {name: _read_tensor(inputs[name], tensor) for name, tensor in tensors.items()}
    rows = {name: count for name, (count, _) in read.items()}
    if len(set(rows.values())) > 1:
        raise InvalidSpec(f"The inputs differ in rows: {rows}; give all the same number.")
    columns = {name: values for name, (_, values) in read.items()}
    return InferenceRequest(columns, max(rows.values()), _outputs(body, signature), _id(body))


def _by_name(body: Mapping[str, Any], field: str) -> dict[str, dict[str, Any]]:
    """The objects of a list by their names."""
    entries = body.get(field)
    if not isinstance(entries, list):
        raise InvalidSpec(f"The request has no list {field!r}; send an Open Inference Protocol object.")
    named: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise InvalidSpec(f"An entry of {field!r} is no object with a text 'name': {_told(entry)}.")
        if entry["name"] in named:
            raise InvalidSpec(f"{field!r} names {_told(entry['name'])} twice; give it once.")
        named[entry["name"]] = entry
    return named


def _outputs(body: Mapping[str, Any], signature: Signature) -> frozenset[str]:
    if body.get("outputs") is None:
        return frozenset()
    wanted, known = _by_name(body, "outputs").keys(), {spec.name for spec in signature.outputs}
    if strange := sorted(wanted - known):
        raise InvalidSpec(f"The model has no outputs {_told(strange)}; it has {sorted(known)}.")
    return frozenset(wanted)


def _id(body: Mapping[str, Any]) -> str | None:
    name = body.get("id")
    if name is not None and not isinstance(name, str):
        raise InvalidSpec(f"'id' is {_told(name)}; it is a text, or left out.")
    return name


def _read_tensor(spec: TensorSpec, tensor: Mapping[str, Any]) -> tuple[int, list[Any]]:
    """The number of rows, and the values row by row."""
    data, datatype = tensor.get("data"), tensor.get("datatype")
    if datatype not in (None, spec.datatype) and not _are_floats(datatype, spec.datatype):
        raise InvalidSpec(f"Input {spec.name!r} is {spec.datatype}; the request says {_told(datatype)}.")
    if not isinstance(data, list) or not data:
        raise InvalidSpec(f"Input {spec.name!r} has no 'data'; give a list of at least one value.")
    shape = _shape(spec, tensor.get("shape"))
    values = _flat(spec, shape, data) if isinstance(data[0], list) else data
    if len(values) != math.prod(shape):
        raise InvalidSpec(f"Input {spec.name!r}: its {len(values)} values in 'data' do not fill its 'shape' {shape}.")
    if strange := set(map(type, values)) - KINDS.get(spec.datatype, INTEGERS):
        names = ", ".join(sorted(kind.__name__ for kind in strange))
        raise InvalidSpec(f"Input {spec.name!r} is {spec.datatype} and cannot hold {names} values.")
    if spec.datatype == "BYTES":
        values = _contents(spec, values)
    return shape[0], _in_rows(values, shape) if spec.is_list else values


def _are_floats(*datatypes: object) -> bool:
    """Two models behind one endpoint may differ in the precision of what they take."""
    return all(isinstance(one, str) and one in ("FP16", "FP32", "FP64") for one in datatypes)


def _in_rows(values: list[Any], shape: Sequence[int]) -> list[Any]:
    """Flat values, nested as the shape says."""
    for size in reversed(shape[1:]):
        values = [values[start : start + size] for start in range(0, len(values), size)]
    return values


def _contents(spec: TensorSpec, values: list[Any]) -> list[Any]:
    """Bytes where the input is binary, which JSON has in base64; else text."""
    wanted = bytes if spec.binary else str
    return [value if isinstance(value, wanted) else _content(spec, value) for value in values]


def _content(spec: TensorSpec, value: str | bytes | None) -> str | bytes | None:
    try:
        if isinstance(value, bytes):
            return value.decode("utf-8")
        return base64.b64decode(value, validate=True) if isinstance(value, str) else value
    except ValueError as error:
        form = "base64; a name or a URI is not fetched" if spec.binary else "UTF-8"
        raise InvalidSpec(f"Input {spec.name!r} holds {_told(value)}, which is no {form}: {error}.") from error


def _shape(spec: TensorSpec, shape: object) -> list[int]:
    """A shape that is the model's but for the rows and sizes of one."""
    sizes = isinstance(shape, list) and set(map(type, shape)) == INTEGERS and min(shape) > 0
    if not isinstance(shape, list) or not sizes or not _fits(spec, shape[1:]):
        raise InvalidSpec(f"Input {spec.name!r} has shape {_told(shape)}; the model takes {list(spec.shape)}.")
    return shape


def _fits(spec: TensorSpec, sizes: Sequence[int]) -> bool:
    """Lists have as many sizes as the model's, others may leave out sizes of one."""
    if tuple(sizes) == spec.shape[1:]:
        return True
    if not spec.is_list:
        return _wide(sizes) == _wide(spec.shape[1:])
    wanted = spec.shape[1:]
    return len(sizes) == len(wanted) and all(want in (-1, size) for size, want in zip(sizes, wanted, strict=True))


def _wide(sizes: Sequence[int]) -> list[int]:
    return [size for size in sizes if size != 1]


def _flat(spec: TensorSpec, shape: Sequence[int], data: list[Any]) -> list[Any]:
    """Nested data without its nesting, which has to be that of the shape but for sizes of one."""
    found = [len(data)]
    while isinstance(data[0], list):
        if len(found) > len(shape) or any(not isinstance(part, list) or len(part) != len(data[0]) for part in data):
            raise InvalidSpec(f"Input {spec.name!r}: the lists in 'data' do not fill its 'shape' {_told(shape)}.")
        found.append(len(data[0]))
        data = [value for part in data for value in part]
        if not data:
            break
    if _wide(found) != _wide(shape):
        raise InvalidSpec(f"Input {spec.name!r}: 'data' is nested as {found} and 'shape' says {_told(shape)}.")
    return data


def _told(value: object) -> str:
    """A value of the request in a message, cut; deeply nested ones have no text of their own."""
    try:
        text = repr(value)
    except RecursionError:
        return "too deeply nested"
    return text if len(text) <= TOLD else f"{text[:TOLD]}…"
