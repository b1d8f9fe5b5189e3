"""gRPC messages of the Open Inference Protocol as the objects of its REST form, and back.

NaN and the empty string stand for a missing number and a missing string, which protobuf cannot leave out. BYTES of a
request are bytes: only its model knows whether they are text.
"""

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seaway.errors import InvalidSpec

SERVICE = "inference.GRPCInferenceService"
CONTENT_TYPE = "application/x-protobuf"  # of a bare message, without gRPC's frame
STATUS, MESSAGE = "x-grpc-status", "x-grpc-message"  # headers of a refusal, which the proxy makes trailers of
FIELDS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}  # FP16 travels in raw contents only
RAW = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"} | {
    f"{sign}INT{8 * size}": f"<{kind}{size}" for sign, kind in (("", "i"), ("U", "u")) for size in (1, 2, 4, 8)
}  # numpy's names; little endian, as the protocol lays tensors out
LONGEST_NAME = 100  # of a wrong name, repeated in the refusal
LENGTH = struct.Struct("<I")  # before each string of a raw tensor


def require_model(message: bytes, name: str) -> None:
    """Of a serialized ModelReadyRequest or ModelMetadataRequest, which are alike; those of the server name no model.

    Raises:
        InvalidSpec: it is none, or names another model.
    """
    from google.protobuf.message import DecodeError

    from seaway.serving.protocol.open_inference_pb2 import ModelReadyRequest

    try:
        asked = ModelReadyRequest.FromString(message).name
    except DecodeError as error:
        raise InvalidSpec(f"The request is none of a model ({error}).") from error
    _require(asked, name)


def _require(asked: str, name: str) -> None:
    """As a path of REST names it; empty is whoever answers."""
    if asked not in ("", name):
        raise InvalidSpec(f"There is no model {asked[:LONGEST_NAME]!r} here; this is {name!r}.")


def inference_request(message: bytes, name: str) -> dict[str, Any]:
    """The REST body of a serialized ModelInferRequest of the model of that name.

    Raises:
        InvalidSpec: it is none, names another model, or a tensor's contents are not those of its datatype.
    """
    from google.protobuf.message import DecodeError

    from seaway.serving.protocol.open_inference_pb2 import ModelInferRequest

    try:
        request = ModelInferRequest.FromString(message)
    except DecodeError as error:
        raise InvalidSpec(f"The request is no ModelInferRequest ({error}).") from error
    _require(request.model_name, name)
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise InvalidSpec(f"raw_input_contents has {len(raw)} entries for {len(request.inputs)} inputs; give one each.")
    inputs = [
        {
            "name": tensor.name,
            "datatype": tensor.datatype or None,
            "shape": list(tensor.shape),
            "data": _data(tensor, raw[index] if raw else None),
        }
        for index, tensor in enumerate(request.inputs)
    ]
    body: dict[str, Any] = {"inputs": inputs, "outputs": [{"name": output.name} for output in request.outputs]}
    return {**body, "id": request.id} if request.id else body


def inference_response(answer: Mapping[str, Any]) -> bytes:
    """The serialized ModelInferResponse of a REST answer."""
    from seaway.serving.protocol.open_inference_pb2 import ModelInferResponse

    outputs = answer["outputs"]
    raw = [raw_contents(output["data"], output["datatype"]) for output in outputs] if _needs_raw(outputs) else []
    response = ModelInferResponse(
        model_name=answer["model_name"],
        model_version=answer["model_version"],
        id=answer.get("id", ""),
        outputs=[_output(output, typed=not raw) for output in outputs],
        raw_output_contents=raw,
    )
    return bytes(response.SerializeToString())


def metadata_response(metadata: Mapping[str, Any]) -> bytes:
    """The serialized ModelMetadataResponse of a REST answer."""
    from google.protobuf.json_format import ParseDict

    from seaway.serving.protocol.open_inference_pb2 import ModelMetadataResponse

    told = ParseDict(dict(metadata), ModelMetadataResponse(), ignore_unknown_fields=True)  # REST tells more
    return bytes(told.SerializeToString())


def server_response() -> bytes:
    """The serialized ServerMetadataResponse."""
    from seaway.serving.protocol.open_inference_pb2 import ServerMetadataResponse

    return bytes(ServerMetadataResponse(name="seaway", version="2").SerializeToString())


def readiness_response() -> bytes:
    """The serialized ServerLiveResponse, ServerReadyResponse or ModelReadyResponse, which are alike, saying yes."""
    from seaway.serving.protocol.open_inference_pb2 import ModelReadyResponse

    return bytes(ModelReadyResponse(ready=True).SerializeToString())


def raw_contents(values: Sequence[Any], datatype: str) -> bytes:
    """A tensor's values, row by row, as the protocol lays them out in raw contents."""
    if datatype == "BYTES":
        encoded = [value if isinstance(value, bytes) else (value or "").encode() for value in values]
        return b"".join(LENGTH.pack(len(value)) + value for value in encoded)
    return np.array([math.nan if value is None else value for value in values], RAW[datatype]).tobytes()


def raw_values(content: bytes, datatype: str) -> list[Any]:
    """The values of a tensor in raw contents; those of BYTES are bytes. Raises: InvalidSpec."""
    if datatype not in RAW and datatype != "BYTES":
        raise InvalidSpec(f"There is no datatype {datatype!r}; there are BYTES, {', '.join(sorted(RAW))}.")
    try:
        if datatype == "BYTES":
            return list(_strings(content))
        values: list[Any] = np.frombuffer(content, RAW[datatype]).tolist()
        return values
    except (ValueError, struct.error) as error:
        raise InvalidSpec(f"raw contents of {len(content)} bytes are no {datatype} tensor: {error}.") from error


def typed_values(tensor: Any) -> list[Any]:
    """The values of a tensor in typed contents; those of BYTES are bytes."""
    return list(getattr(tensor.contents, FIELDS.get(tensor.datatype, "bytes_contents")))


def _data(tensor: Any, raw: bytes | None) -> list[Any]:
    if raw is not None:
        return raw_values(raw, tensor.datatype)
    if tensor.datatype not in FIELDS:
        raise InvalidSpec(f"Input {tensor.name!r} is {tensor.datatype!r}, which has no typed contents; send it raw.")
    return typed_values(tensor)


def _strings(content: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(content):
        (size,) = LENGTH.unpack_from(content, place)
        place += LENGTH.size
        if place + size > len(content):
            raise ValueError("a string is longer than what is left")
        yield content[place : place + size]
        place += size


def _needs_raw(outputs: Sequence[Mapping[str, Any]]) -> bool:
    return any(output["datatype"] not in FIELDS for output in outputs)


def _output(output: Mapping[str, Any], *, typed: bool) -> Any:
    from seaway.serving.protocol.open_inference_pb2 import InferTensorContents, ModelInferResponse

    contents = {FIELDS[output["datatype"]]: _protobuf(output)} if typed else {}
    return ModelInferResponse.InferOutputTensor(
        name=output["name"],
        datatype=output["datatype"],
        shape=output["shape"],
        contents=InferTensorContents(**contents) if typed else None,
    )


def _protobuf(output: Mapping[str, Any]) -> list[Any]:
    if output["datatype"] == "BYTES":
        return [(value or "").encode() for value in output["data"]]
    return [math.nan if value is None else value for value in output["data"]]
