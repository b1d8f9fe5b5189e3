"""The binary tensor extension of the REST form: a JSON header, then the raw contents of tensors one after another.

`Inference-Header-Content-Length` says where the header ends. An input has `binary_data_size` among its `parameters` in
the place of `data`; an output is asked for in this form by `binary_data` among its own, or all of them by
`binary_data_output` among those of the request.
"""

import json
from collections.abc import Mapping
from typing import Any

from seaway.errors import InvalidSpec
from seaway.serving.protocol.grpc_messages import raw_contents, raw_values

HEADER, CONTENT_TYPE = "inference-header-content-length", "application/octet-stream"
EXTENSION = "binary_tensor_data"  # as the server's metadata name it
INPUT, OUTPUT, OUTPUTS = "binary_data_size", "binary_data", "binary_data_output"
LONGEST = 12  # digits of a length


def split(content: bytes, length: str | None) -> tuple[bytes, bytes]:
    """The JSON header and what follows it; without a length all is JSON. Raises: InvalidSpec: it is no such place."""
    if length is None:
        return content, b""
    known = len(length) <= LONGEST and length.isascii() and length.isdecimal()
    if not known or int(length) > len(content):
        raise InvalidSpec(f"{HEADER} is {length[:LONGEST]!r}; give the bytes of the JSON, of {len(content)} in all.")
    return content[: int(length)], content[int(length) :]


def with_data(body: object, raw: bytes) -> object:
    """The request's object, each input in binary with its values as `data`.

    Raises:
        InvalidSpec: a size is wrong, the sizes are not those of what was sent, or an input has values twice.
    """
    inputs = body.get("inputs") if isinstance(body, dict) else None
    place = 0
    for tensor in inputs if isinstance(inputs, list) else ():
        size = _parameter(tensor, INPUT)
        if size is None:
            continue
        if type(size) is not int or not 0 <= size <= len(raw) - place or tensor.get("data") is not None:
            raise InvalidSpec(
                f"An input has {INPUT} {str(size)[:LONGEST]!r} and no other values; {len(raw) - place} bytes are left."
            )
        try:
            tensor["data"] = raw_values(raw[place : place + size], str(tensor.get("datatype")))
        except InvalidSpec as error:
            raise InvalidSpec(f"An input of {INPUT} {size} cannot be read: {error}") from error
        place += size
    if place != len(raw):
        raise InvalidSpec(f"{len(raw)} bytes follow the JSON, of which its inputs name {place} by {INPUT}.")
    return body


def wanted(body: object) -> frozenset[str] | None:
    """Names of the outputs that are asked for in binary; None for all."""
    outputs = body.get("outputs") if isinstance(body, dict) else None
    every = _parameter(body, OUTPUTS) is True
    if not isinstance(outputs, list) or not outputs:
        return None if every else frozenset()
    said = {one["name"]: _parameter(one, OUTPUT) for one in outputs if _is_named(one)}
    return frozenset(name for name, yes in said.items() if yes is True or (yes is None and every))


def encoded(answer: Mapping[str, Any], names: frozenset[str] | None) -> tuple[bytes, int]:
    """The response with the outputs of these names in binary, and the bytes of its JSON header."""
    outputs, raw = [], []
    for output in answer["outputs"]:
        if names is not None and output["name"] not in names:
            outputs.append(output)
            continue
        raw.append(raw_contents(output["data"], output["datatype"]))
        told = {key: output[key] for key in ("name", "datatype", "shape")}
        outputs.append({**told, "parameters": {INPUT: len(raw[-1])}})
    header = json.dumps({**answer, "outputs": outputs}).encode()
    return b"".join((header, *raw)), len(header)


def _is_named(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)


def _parameter(entry: object, name: str) -> object:
    parameters = entry.get("parameters") if isinstance(entry, dict) else None
    return parameters.get(name) if isinstance(parameters, dict) else None
