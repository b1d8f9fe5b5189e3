"""Tensors keep their values on their way through protobuf."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.serving.protocol import grpc_messages
from seaway.serving.protocol.open_inference_pb2 import (
    ModelInferRequest,
    ModelInferResponse,
    ModelMetadataRequest,
    ModelReadyRequest,
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "BYTES": st.text(),
    "BOOL": st.booleans(),
    "INT64": st.integers(-(2**63), 2**63 - 1),
    "UINT8": st.integers(0, 255),
    "FP16": st.floats(width=16),
    "FP32": st.floats(width=32),
    "FP64": st.floats(),
}


def same(one: list[Any], other: list[Any]) -> bool:
    """NaN is itself, and a request's string comes as bytes."""
    other = [value.encode() if isinstance(value, str) else value for value in other]
    return len(one) == len(other) and all(
        a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True)
    )


@given(st.data(), st.sampled_from(sorted(VALUES)))
def test_raw_contents_read_back_as_they_were_written(data: st.DataObject, datatype: str) -> None:
    values = data.draw(st.lists(VALUES[datatype], max_size=5))
    assert same(grpc_messages.raw_values(grpc_messages.raw_contents(values, datatype), datatype), values)


@given(st.data(), st.sampled_from(sorted(VALUES)), st.booleans())
def test_a_request_is_the_body_of_rest(data: st.DataObject, datatype: str, raw: bool) -> None:
    values = data.draw(st.lists(VALUES[datatype], min_size=1, max_size=5))
    tensor = ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=[len(values), 1])
    request = ModelInferRequest(model_name="m", id="7", inputs=[tensor])
    if raw or datatype == "FP16":
        request.raw_input_contents.append(grpc_messages.raw_contents(values, datatype))
    else:
        encoded = [value.encode() for value in values] if datatype == "BYTES" else values
        getattr(request.inputs[0].contents, grpc_messages.FIELDS[datatype]).extend(encoded)
    body = grpc_messages.inference_request(request.SerializeToString(), request.model_name)
    assert (body["id"], body["inputs"][0]["name"], body["inputs"][0]["shape"]) == ("7", "x", [len(values), 1])
    assert same(body["inputs"][0]["data"], values)


@pytest.mark.parametrize("datatype", ["FP16", "FP32"])
def test_an_answers_missing_number_is_nan(datatype: str) -> None:
    output = {"name": "p", "datatype": datatype, "shape": [2, 1], "data": [0.5, None]}
    message = grpc_messages.inference_response({"model_name": "m", "model_version": "1", "outputs": [output]})
    answer = ModelInferResponse.FromString(message)
    raw = answer.raw_output_contents
    values = grpc_messages.raw_values(raw[0], datatype) if raw else grpc_messages.typed_values(answer.outputs[0])
    np.testing.assert_array_equal(values, [0.5, np.nan])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"\xff\xff", "no ModelInferRequest"),
        (ModelInferRequest(raw_input_contents=[b"x"]).SerializeToString(), "0 inputs"),
        (
            ModelInferRequest(
                inputs=[ModelInferRequest.InferInputTensor(name="x", datatype="FP32")], raw_input_contents=[b"abc"]
            ).SerializeToString(),
            "FP32",
        ),
        (
            ModelInferRequest(
                inputs=[ModelInferRequest.InferInputTensor(name="x", datatype="TEXT")]
            ).SerializeToString(),
            "'x' is 'TEXT'",
        ),
    ],
)
def test_what_is_no_request_is_refused(message: bytes, said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        grpc_messages.inference_request(message, "small")


@pytest.mark.parametrize("asked", ["small", "", "large"])
def test_a_request_for_another_model_is_refused(asked: str) -> None:
    calls = (
        lambda: grpc_messages.inference_request(ModelInferRequest(model_name=asked).SerializeToString(), "small"),
        lambda: grpc_messages.require_model(ModelReadyRequest(name=asked).SerializeToString(), "small"),
        lambda: grpc_messages.require_model(ModelMetadataRequest(name=asked).SerializeToString(), "small"),
    )
    for call in calls:
        if asked != "large":
            call()
            continue
        with pytest.raises(InvalidSpec, match="no model 'large' here; this is 'small'"):
            call()


def test_a_string_that_is_cut_off_is_refused() -> None:
    cut = grpc_messages.raw_contents(["flight"], "BYTES")[:-1]
    with pytest.raises(InvalidSpec, match="longer than what is left"):
        grpc_messages.raw_values(cut, "BYTES")
