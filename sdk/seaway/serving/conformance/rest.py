"""The REST form: paths, metadata, what an answer has, the binary tensor extension."""

import json
import math
from collections.abc import Sequence
from typing import Any

from seaway.serving.conformance.check import Check, Lacking, answered, refused, require
from seaway.serving.conformance.target import Target
from seaway.serving.protocol import binary
from seaway.serving.protocol.grpc_messages import RAW, raw_contents, raw_values

DATATYPES = {"BYTES", *RAW}


def health_and_readiness_are_told(target: Target) -> None:
    for path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{target.model}/ready"):
        answered(target.ask("GET", path))


def the_server_tells_what_it_is(target: Target) -> None:
    told = answered(target.ask("GET", "/v2")).json
    require(isinstance(told, dict) and {"name", "version", "extensions"} <= told.keys(), f"its metadata are {told}")


def the_model_tells_its_tensors(target: Target) -> None:
    told = target.metadata
    require(told.get("name") == target.model, f"the metadata of {target.model} name {told.get('name')!r}")
    require(isinstance(told.get("platform"), str), "its metadata name no platform")
    for tensor in (*told["inputs"], *told["outputs"]):
        require(isinstance(tensor["name"], str), f"{tensor} has no name")
        require(tensor["datatype"] in DATATYPES, f"{tensor} is of no datatype of the protocol")
        require(all(type(size) is int for size in tensor["shape"]), f"{tensor} has no shape")


def an_answer_has_every_output_whole(target: Target) -> None:
    answer = answered(target.infer(target.request())).json
    require(answer["model_name"] == target.model, f"model_name is {answer.get('model_name')!r}")
    specs = {spec["name"]: spec for spec in target.metadata["outputs"]}
    require({output["name"] for output in answer["outputs"]} == specs.keys(), f"outputs are not {sorted(specs)}")
    for output in answer["outputs"]:
        require(output["datatype"] == specs[output["name"]]["datatype"], f"{output['name']} is {output['datatype']}")
        count = len(flat(output["data"]))
        require(count == math.prod(output["shape"]), f"{output['name']} has {count} values of shape {output['shape']}")


def an_id_comes_back(target: Target) -> None:
    for name in ("r-17", '\u00fc "quoted"', "x" * 200):
        answer = answered(target.infer(target.request(id=name))).json
        require(answer.get("id") == name, f"id {name!r} comes back as {answer.get('id')!r}")


def only_the_outputs_that_are_asked_for_come(target: Target) -> None:
    for spec in target.metadata["outputs"]:
        asked = target.request(outputs=[{"name": spec["name"]}])
        names = [output["name"] for output in answered(target.infer(asked)).json["outputs"]]
        require(names == [spec["name"]], f"asked for {spec['name']}, it answers {names}")


def nested_data_are_as_flat_ones(target: Target) -> None:
    flat = answered(target.infer(target.request())).json["outputs"]
    nested = target.request()
    for tensor in nested["inputs"]:
        tensor["data"] = _nested(tensor["data"], tensor["shape"])
    require(answered(target.infer(nested)).json["outputs"] == flat, "nested 'data' are answered otherwise")


def the_order_of_inputs_does_not_matter(target: Target) -> None:
    expected = answered(target.infer(target.request())).json["outputs"]
    turned = target.request()
    turned["inputs"].reverse()
    require(answered(target.infer(turned)).json["outputs"] == expected, "another order is answered otherwise")


def tensors_in_binary_are_as_those_in_json(target: Target) -> None:
    _require_binary(target)
    plain = answered(target.infer(target.request())).json["outputs"]
    content, length = in_binary(target.request(parameters={binary.OUTPUTS: True}))
    answer = answered(target.infer(content, {binary.HEADER: str(length)}))
    place = int(answer.headers[binary.HEADER])
    for output, expected in zip(json.loads(answer.content[:place])["outputs"], plain, strict=True):
        size = output["parameters"][binary.INPUT]
        values = raw_values(answer.content[place : place + size], output["datatype"])
        same = raw_contents(values, output["datatype"]) == raw_contents(flat(expected["data"]), output["datatype"])
        require(same, f"{output['name']} in binary is not what it is in JSON")
        place += size
    require(place == len(answer.content), f"{len(answer.content) - place} bytes are left over")


def tensors_in_binary_of_wrong_sizes_are_refused(target: Target) -> None:
    _require_binary(target)
    content, length = in_binary(target.request())
    for what, (sent, told) in _wrong_in_binary(target, content, length).items():
        refused(target.infer(sent, {binary.HEADER: told}), what)


def _wrong_in_binary(target: Target, content: bytes, length: int) -> dict[str, tuple[bytes, str]]:
    """What is sent, and the length of its JSON that is told."""
    lengths = ("-1", "+1", "0x10", "a", "0", "1", str(length - 1), str(length + 1), "9" * 5000)
    asked, raw = json.loads(content[:length]), content[length:]
    size = asked["inputs"][0]["parameters"][binary.INPUT]
    sizes = [size + 1, size - 1, -size, str(size), float(size), True, 2**64]
    return {
        **{f"a header that ends at {told[:10]}": (content, told) for told in lengths},
        "a byte too few": (content[:-1], str(length)),
        "a byte too many": (content + b"\0", str(length)),
        **{f"{one!r} for {size} bytes of an input": _sized(target, one, raw) for one in sizes},
    }


def _sized(target: Target, size: object, raw: bytes) -> tuple[bytes, str]:
    content, length = in_binary(target.request())
    asked = json.loads(content[:length])
    asked["inputs"][0]["parameters"][binary.INPUT] = size
    header = json.dumps(asked).encode()
    return header + raw, str(len(header))


def _require_binary(target: Target) -> None:
    """Raises: Lacking."""
    if not any("binary_tensor_data" in str(one) for one in target.ask("GET", "/v2").json.get("extensions", ())):
        raise Lacking("no extension binary_tensor_data")


def in_binary(request: dict[str, Any]) -> tuple[bytes, int]:
    """A request with its inputs in binary, and the length of its JSON."""
    raw = b""
    for tensor in request["inputs"]:
        contents = raw_contents(flat(tensor.pop("data")), tensor["datatype"])
        tensor["parameters"] = {binary.INPUT: len(contents)}
        raw += contents
    header = json.dumps(request).encode()
    return header + raw, len(header)


def flat(data: Any) -> list[Any]:
    return [value for part in data for value in flat(part)] if isinstance(data, list) else [data]


def _nested(values: list[Any], shape: Sequence[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        values = [values[start : start + size] for start in range(0, len(values), size)]
    return values


CHECKS: tuple[Check, ...] = (
    health_and_readiness_are_told,
    the_server_tells_what_it_is,
    the_model_tells_its_tensors,
    an_answer_has_every_output_whole,
    an_id_comes_back,
    only_the_outputs_that_are_asked_for_come,
    nested_data_are_as_flat_ones,
    the_order_of_inputs_does_not_matter,
    tensors_in_binary_are_as_those_in_json,
    tensors_in_binary_of_wrong_sizes_are_refused,
)
