"""The request forms of other servers, so that their old clients go on: TensorFlow Serving's, TorchServe's.

Each is rewritten to an Open Inference Protocol object, which is read and answered as any other, and its answer back.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from seaway.errors import InvalidSpec
from seaway.models.signature import Signature, TensorSpec
from seaway.serving.protocol.codecs import Json

TENSORFLOW, TORCHSERVE = "application/vnd.seaway.tensorflow+json", "application/vnd.seaway.torchserve+json"
PATHS = {TENSORFLOW: "/v1/models/{}:predict", TORCHSERVE: "/predictions/{}"}  # where each is asked for
B64 = "b64"


class TensorFlowServing(Json):
    """`:predict` of TensorFlow Serving's REST: `instances` and `predictions` by row, or `inputs` and `outputs`."""

    def __init__(self) -> None:
        super().__init__()
        self._by_row = True

    def body(self, request: Mapping[str, Any], name: str, signature: Signature) -> object:
        """Raises: InvalidSpec."""
        said = super().body(request, name, signature)
        if not isinstance(said, dict) or ("instances" in said) == ("inputs" in said):
            raise InvalidSpec("The request is none of :predict; send an object with 'instances' or with 'inputs'.")
        self._by_row = "instances" in said
        if self._by_row:
            return _request(_columns(said["instances"], "instances", signature), signature)
        given = said["inputs"]
        alone = len(signature.inputs) == 1 and not isinstance(given, dict)
        return _request({signature.inputs[0].name: given} if alone else given, signature)

    def inference(self, answer: Mapping[str, Any]) -> str:
        """By row or by output, as was asked; one output stands without its name."""
        outputs = {output["name"]: _nested(output["data"], output["shape"]) for output in answer["outputs"]}
        if not self._by_row:
            return json.dumps({"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs})
        return json.dumps({"predictions": _rows(outputs)})


class TorchServe(Json):
    """`/predictions/MODEL` of TorchServe and of multi-model-server: a row or a list of rows, and an answer for each.

    A row is an object by input; where the model has one input, its value alone, and what is no JSON is that value.
    """

    def __init__(self) -> None:
        super().__init__()
        self._alone = False

    def body(self, request: Mapping[str, Any], name: str, signature: Signature) -> object:
        """Raises: InvalidSpec."""
        try:
            said = super().body(request, name, signature)
        except InvalidSpec:
            said = {signature.inputs[0].name: _whole(request.get("body", b""), signature)}
        self._alone = not isinstance(said, list)
        return _request(_columns([said] if self._alone else said, "a list of rows", signature), signature)

    def inference(self, answer: Mapping[str, Any]) -> str:
        """One answer for one row, a list for a list."""
        rows = _rows({output["name"]: _nested(output["data"], output["shape"]) for output in answer["outputs"]})
        return json.dumps(rows[0] if self._alone else rows)


FORMS: Mapping[str, type[Json]] = {TENSORFLOW: TensorFlowServing, TORCHSERVE: TorchServe}


def _whole(content: bytes, signature: Signature) -> Any:
    """A body that is no JSON, as the value of the only input. Raises: InvalidSpec: there are others, or numbers."""
    spec = signature.inputs[0]
    if len(signature.inputs) > 1 or spec.datatype != "BYTES":
        raise InvalidSpec(f"The request is no JSON; send an object by input: {[one.name for one in signature.inputs]}.")
    return base64.b64encode(content).decode() if spec.binary else bytes(content)


def _columns(rows: object, what: str, signature: Signature) -> dict[str, list[Any]]:
    """Rows as lists by input. Raises: InvalidSpec: they are none, or differ in their names."""
    if not isinstance(rows, list) or not rows:
        raise InvalidSpec(f"{what!r} is no list of at least one row.")
    first = signature.inputs[0].name
    named = [row if isinstance(row, dict) and B64 not in row else {first: row} for row in rows]
    if any(row.keys() != named[0].keys() for row in named):
        raise InvalidSpec(f"The rows of {what!r} differ in their inputs; give each the same.")
    return {name: [row[name] for row in named] for name in named[0]}


def _request(columns: object, signature: Signature) -> dict[str, Any]:
    """The Open Inference Protocol object of lists by input. Raises: InvalidSpec."""
    if not isinstance(columns, dict):
        raise InvalidSpec("'inputs' is no object of lists by input.")
    specs = {spec.name: spec for spec in signature.inputs}
    return {"inputs": [_tensor(name, values, specs.get(name)) for name, values in columns.items()]}


def _tensor(name: str, values: object, spec: TensorSpec | None) -> dict[str, Any]:
    if not isinstance(values, list):
        raise InvalidSpec(f"Input {name!r} is no list with one entry a row.")
    data = [_decoded(value, spec) for value in values]
    if not spec or spec.is_list:
        return {"name": name, "shape": [len(data), *_sizes(data[0] if data else None)], "data": data}
    rows = [_flat(value) for value in data]
    wrong = [row for row in rows if len(row) != math.prod(spec.shape[1:])]
    if wrong:
        raise InvalidSpec(f"Input {name!r} has {len(wrong[0])} values in a row; the model takes {list(spec.shape)}.")
    return {"name": name, "shape": [len(rows), *spec.shape[1:]], "data": [value for row in rows for value in row]}


def _flat(value: object) -> list[object]:
    """The values of a row, a single one or lists in lists."""
    return [part for inner in value for part in _flat(inner)] if isinstance(value, list) else [value]


def _sizes(value: object) -> list[int]:
    """Of lists in lists, by the first of each."""
    sizes = []
    while isinstance(value, list) and value:
        sizes.append(len(value))
        value = value[0]
    return sizes


def _decoded(value: object, spec: TensorSpec | None) -> object:
    """A value without TensorFlow's wrapping of bytes. Raises: InvalidSpec."""
    if isinstance(value, list):
        return [_decoded(part, spec) for part in value]
    if not (isinstance(value, dict) and value.keys() == {B64} and isinstance(value[B64], str)):
        return value
    try:
        return value[B64] if spec and spec.binary else base64.b64decode(value[B64], validate=True)
    except ValueError as error:
        raise InvalidSpec(f"A value in {B64!r} is no base64: {error}.") from error


def _rows(outputs: Mapping[str, Sequence[Any]]) -> list[Any]:
    """One entry a row: the output where there is one, else an object of them."""
    if len(outputs) == 1:
        return list(next(iter(outputs.values())))
    return [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]


def _nested(values: Sequence[Any], shape: Sequence[int]) -> list[Any]:
    nested = list(values)
    for size in reversed(shape[1:]):
        nested = [nested[start : start + size] for start in range(0, len(nested), size)]
    return nested
