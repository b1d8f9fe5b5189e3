import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.model_server.handler import OpenInferenceHandler, _scripted
from seaway.models import Signature, TensorSpec
from seaway.serving.protocol import grpc_messages
from seaway.serving.protocol.other_servers import TENSORFLOW, TORCHSERVE

SIGNATURE = Signature(
    name="sum",
    inputs=(TensorSpec("carrier", "BYTES"), TensorSpec("delay", "FP32"), TensorSpec("weather", "FP32", (-1, 2))),
    outputs=(TensorSpec("total", "FP64"),),
    sample={"carrier": ["AA"], "delay": [1.0], "weather": [[1.0, 2.0]]},
)


@pytest.fixture(autouse=True)
def keeps_gradients() -> Iterator[None]:
    """A server turns them off for its whole process; tests of trainings may follow in this one."""
    yield
    torch.set_grad_enabled(True)


class Context:
    """What TorchServe gives a handler for one batch: marks and lengths by request in, statuses and headers out."""

    def __init__(
        self,
        marks: dict[int, str] | None = None,
        lengths: dict[int, str] | None = None,
        kinds: dict[int, str] | None = None,
    ) -> None:
        told = {"x-seaway-request": marks, "inference-header-content-length": lengths, "content-type": kinds}
        self.given = {name: values or {} for name, values in told.items()}
        self.statuses, self.types, self.headers = dict[int, int](), dict[int, str](), dict[int, dict[str, str]]()

    def get_request_header(self, index: int, name: str) -> str | None:
        return self.given.get(name, {}).get(index)

    def set_response_content_type(self, index: int, value: str) -> None:
        self.types[index] = value

    def set_response_header(self, index: int, key: str, value: str) -> None:
        self.headers.setdefault(index, {})[key] = value

    def set_response_status(self, code: int, idx: int) -> None:
        self.statuses[idx] = code


def scripted(graph: Any) -> Any:
    return _scripted(graph, "cpu")


def handler() -> OpenInferenceHandler:
    made = OpenInferenceHandler()
    made.name, made.version, made.signature = "sum", "v1", SIGNATURE
    made.answers = scripted(
        lambda carrier, delay, weather: (carrier % 1000 + delay + weather.sum(1, keepdim=True)).double()
    )
    return made


def request(rows: list[tuple[str | None, float | None, float]], **fields: Any) -> dict[str, Any]:
    count = len(rows)
    inputs = [
        {"name": "delay", "datatype": "FP32", "shape": [count, 1], "data": [row[1] for row in rows]},
        {"name": "carrier", "datatype": "BYTES", "shape": [count], "data": [row[0] for row in rows]},
        {"name": "weather", "datatype": "FP32", "shape": [count, 2], "data": [[row[2], 0.5] for row in rows]},
    ]
    return {"body": json.dumps({"inputs": inputs, **fields}).encode()}


number = st.floats(-1e6, 1e6, width=32)
rows = st.lists(st.tuples(st.none() | st.text(max_size=5), st.none() | number, number), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.lists(rows, min_size=1, max_size=6))
def test_a_request_is_answered_the_same_alone_and_in_a_batch(batch: list[Any]) -> None:
    requests = [request(one) for one in batch]
    alone = [handler().handle([one], Context())[0] for one in requests]
    assert handler().handle(requests, Context()) == alone
    assert [json.loads(one)["outputs"][0]["shape"] for one in alone] == [[len(one), 1] for one in batch]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(7, 1.0, 1.0)], "carrier"),
        ([("AA", True, 1.0)], "delay"),
        ([("AA", "x", 1.0)], "delay"),
        ([("AA", 1e39, 1.0)], "delay"),
        ([("\ud800", 1.0, 1.0)], "carrier"),
    ],
)
def test_a_refused_value_is_told_by_its_input_and_fails_no_other_request(rows: list[Any], told: str) -> None:
    good = request([("AA", 1.0, 1.0)])
    context = Context()
    first, bad, last = handler().handle([good, request(rows), good], context)
    assert context.statuses == {1: 400}
    assert told in json.loads(bad)["error"]
    assert first == last == handler().handle([good], Context())[0]


def garbage() -> st.SearchStrategy[Any]:
    """Any JSON value, some of which nearly fit."""
    word = st.text(max_size=3) | st.sampled_from(["carrier", "total", "FP32", "name", "data"])
    scalar = st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | word
    return st.recursive(scalar, lambda some: st.lists(some, max_size=3) | st.dictionaries(word, some, max_size=3))


def places(body: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Every place of a request where a value can be put: a container and the key in it."""
    fields = [*((body, key) for key in (*body, "id", "outputs", "parameters")), (body["inputs"], 0)]
    return fields + [(tensor, key) for tensor in body["inputs"] for key in tensor]


GOOD = request([("AA", 1.0, 1.0), (None, None, 2.0)])


@settings(max_examples=100)
@given(st.data())
def test_whatever_stands_in_a_request_its_neighbours_are_answered(data: st.DataObject) -> None:
    body = json.loads(GOOD["body"])
    container, key = data.draw(st.sampled_from(places(body)))
    container[key] = data.draw(garbage())
    context = Context()
    first, odd, last = handler().handle([GOOD, {"body": json.dumps(body).encode()}, GOOD], context)
    assert first == last == handler().handle([GOOD], Context())[0]
    assert context.statuses in ({}, {1: 400})
    assert ("error" in json.loads(odd)) == bool(context.statuses)


def changed(place: int, **fields: Any) -> dict[str, Any]:
    body = json.loads(GOOD["body"])
    body["inputs"][place].update(fields)
    return body


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({**json.loads(GOOD["body"]), "outputs": ["total"]}, "outputs"),
        ({**json.loads(GOOD["body"]), "outputs": [{"name": "sum"}]}, "it has ['total']"),
        ({**json.loads(GOOD["body"]), "id": {"a": 1}}, "'id' is"),
        (changed(0, shape=[None, 1]), "'delay' has shape [None, 1]; the model takes [-1, 1]"),
        (changed(0, shape=["2", "1"]), "shape ['2', '1']"),
        (changed(0, shape=[-1, -2]), "shape [-1, -2]"),
        (changed(2, shape=[4]), "the model takes [-1, 2]"),
        (changed(2, shape=[1, 4]), "the model takes [-1, 2]"),
        (changed(2, shape=[2, 2], data=[[1.0], [2.0], [3.0], [4.0]]), "nested as [4, 1]"),
        (changed(2, data=[[1.0, 2.0], [3.0]]), "do not fill"),
        (changed(0, name=["delay"]), "no object with a text 'name'"),
        (changed(0, name="weather"), "twice"),
        (changed(0, datatype="INT64"), "'delay' is FP32; the request says 'INT64'"),
        (changed(0, data=None), "has no 'data'"),
        (changed(0, data=[1.0, 2.0, 3.0]), "3 values"),
        (b'{"inputs": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "no JSON"),
        (b'{"inputs": [{"name": ' + b"[" * 900 + b"]" * 900 + b"}]}", "no object with a text 'name'"),
        (b"\xff\xfe{", "no JSON"),
        (b"", "no JSON"),
        (b"[]", "no JSON object"),
        (b'{"inputs": null}', "no list 'inputs'"),
    ],
)
def test_a_malformed_request_is_told_what_is_wrong(body: Any, told: str) -> None:
    context = Context()
    [answer] = handler().handle([{"body": body if isinstance(body, bytes) else json.dumps(body).encode()}], context)
    assert context.statuses == {0: 400}
    assert told in json.loads(answer)["error"]


def test_null_means_that_a_field_is_absent() -> None:
    body = {**json.loads(GOOD["body"]), "outputs": None, "id": None, "parameters": None}
    for tensor in body["inputs"]:
        tensor["datatype"] = None
    assert handler().handle([{"body": json.dumps(body).encode()}], Context()) == handler().handle([GOOD], Context())


def test_values_that_the_model_cannot_bear_are_refused_and_fail_no_other_request() -> None:
    def picky(carrier: torch.Tensor, delay: torch.Tensor, weather: torch.Tensor) -> torch.Tensor:
        if (delay < 0).any():
            raise IndexError("index out of range in self")
        return delay.double()

    made, context = handler(), Context()
    made.answers = scripted(picky)
    first, bad, last = made.handle([GOOD, request([("AA", -1.0, 1.0)]), GOOD], context)
    assert context.statuses == {1: 400}
    assert "IndexError: index out of range" in json.loads(bad)["error"]
    assert "outputs" in json.loads(first)
    assert first == last


@pytest.mark.parametrize("outputs", [lambda rows: 1 / 0, lambda rows: torch.zeros(rows + 1, 1)], ids=["raises", "rows"])
def test_a_model_that_fails_on_its_own_sample_is_the_servers_fault(outputs: Any) -> None:
    made, context = handler(), Context()
    made.answers = scripted(lambda carrier, delay, weather: outputs(len(delay)))
    [answer] = made.handle([GOOD], context)
    assert context.statuses == {0: 500}
    assert "its own sample too" in json.loads(answer)["error"]


def test_an_answer_that_the_server_could_not_carry_is_refused_and_fails_no_other_request() -> None:
    made, context = handler(), Context()
    made.answers = scripted(lambda carrier, delay, weather: delay.double().expand(-1, 300_000))
    few, many = request([("AA", 1.25, 1.0)]), request([("AA", 1.25, 1.0)] * 5)
    first, refused, last = made.handle([few, many, few], context)
    assert context.statuses == {1: 400}
    assert "send fewer rows than 5" in json.loads(refused)["error"]
    assert first == last
    assert "outputs" in json.loads(first)


def test_inputs_of_different_rows_are_refused_though_the_batch_adds_up() -> None:
    def lopsided(carriers: int, delays: int) -> dict[str, Any]:
        body = json.loads(request([("AA", 1.0, 1.0)] * 2)["body"])
        body["inputs"][0].update(shape=[delays], data=[1.0] * delays)
        body["inputs"][1].update(shape=[carriers], data=["AA"] * carriers)
        return {"body": body}

    context = Context()
    answers = handler().handle([lopsided(1, 3), lopsided(3, 1)], context)
    assert context.statuses == {0: 400, 1: 400}
    assert all("rows" in json.loads(answer)["error"] for answer in answers)


def test_marked_requests_are_answered_without_the_model() -> None:
    made = handler()
    made.answers = None
    metadata, ready = made.handle([{"body": b""}] * 2, Context({0: "metadata", 1: "ready"}))
    assert json.loads(metadata)["outputs"] == [{"name": "total", "datatype": "FP64", "shape": [-1, 1]}]
    assert json.loads(ready) == {"name": "sum", "ready": True}


def test_a_missing_result_is_null_and_never_bare_nan() -> None:
    (answer,) = handler().handle([request([("AA", None, 1.0)])], Context())
    assert json.loads(answer)["outputs"][0]["data"] == [None]


@pytest.mark.parametrize(
    ("served", "missing"), [("s3://bucket/served", "AWS_"), ("served", "pyarrow"), ("gs://b", "gs")]
)
def test_a_log_that_cannot_be_opened_is_told_and_the_model_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, served: str, missing: str
) -> None:
    (tmp_path / "package").mkdir()
    SIGNATURE.write(tmp_path / "package")
    (tmp_path / "version").write_text("v1")
    monkeypatch.setenv("SEAWAY_SERVED", served)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    if missing == "pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    made = handler()
    monkeypatch.setattr(made, "load", lambda folder: made.answers)
    made.initialize(SimpleNamespace(system_properties={"model_dir": str(tmp_path)}, model_name="sum"))
    [told] = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert served in told
    assert missing in told
    assert "outputs" in json.loads(made.handle([request([("AA", 1.0, 1.0)], id="f1")], Context())[0])


def in_binary(rows: list[tuple[str | None, float | None, float]], **fields: Any) -> tuple[dict[str, Any], str]:
    """A request of the binary tensor extension, and the length of its JSON."""
    body, raw = json.loads(request(rows, **fields)["body"]), b""
    for tensor in body["inputs"]:
        values = np.asarray(tensor.pop("data"), object).ravel().tolist()
        contents = grpc_messages.raw_contents(values, tensor["datatype"])
        tensor["parameters"] = {"binary_data_size": len(contents)}
        raw += contents
    header = json.dumps(body).encode()
    return {"body": header + raw}, str(len(header))


@settings(deadline=None)
@given(st.lists(rows, min_size=1, max_size=4), st.booleans())
def test_tensors_in_binary_are_answered_as_those_in_json(batch: list[Any], back: bool) -> None:
    plain = handler().handle([request([(row[0] or "", *row[1:]) for row in one]) for one in batch], Context())
    asked = [in_binary(one, parameters={"binary_data_output": back}) for one in batch]
    context = Context(lengths={index: length for index, (_, length) in enumerate(asked)})
    answers = handler().handle([body for body, _ in asked], context)
    assert context.statuses == {}
    for index, (answer, expected) in enumerate(zip(answers, plain, strict=True)):
        if not back:
            assert answer == expected
            continue
        assert context.types[index] == "application/octet-stream"
        length = int(context.headers[index]["inference-header-content-length"])
        [output] = json.loads(answer[:length])["outputs"]
        [told] = json.loads(expected)["outputs"]
        assert output["parameters"]["binary_data_size"] == len(answer) - length
        assert grpc_messages.raw_contents(told["data"], "FP64") == answer[length:]


def test_an_output_may_be_asked_for_in_binary_by_itself() -> None:
    outputs = [{"name": "total", "parameters": {"binary_data": True}}]
    context = Context()
    [answer, plain] = handler().handle([request([("AA", 1.0, 1.0)], outputs=outputs), GOOD], context)
    assert context.types == {0: "application/octet-stream", 1: "application/json"}
    assert len(answer) - int(context.headers[0]["inference-header-content-length"]) == 8
    assert json.loads(plain)["outputs"]


@pytest.mark.parametrize("length", ["", "-1", "x", "1e2", "9" * 5000, "\u0661", "99999"])
def test_a_wrong_length_of_the_json_is_the_requests_own_error(length: str) -> None:
    context = Context(lengths={0: length})
    bad, good = handler().handle([GOOD, GOOD], context)
    assert context.statuses == {0: 400}
    assert "inference-header-content-length" in json.loads(bad)["error"]
    assert json.loads(good)["outputs"]


@pytest.mark.parametrize("size", [-1, 0, 7, 9, 10**30, True, "8", None, [8]])
def test_a_wrong_size_of_a_tensor_is_the_requests_own_error(size: object) -> None:
    body, length = in_binary([("AA", 1.0, 1.0)])
    told = json.loads(body["body"][: int(length)])
    told["inputs"][2]["parameters"]["binary_data_size"] = size
    header = json.dumps(told).encode()
    sent = {"body": header + body["body"][int(length) :]}
    context = Context(lengths={1: str(len(header))})
    _, bad, _ = handler().handle([GOOD, sent, GOOD], context)
    assert context.statuses == {1: 400}
    assert "data" in json.loads(bad)["error"]


ROW = {"carrier": "AA", "delay": 1.0, "weather": [2.0, 0.5]}
COLUMNS = {"carrier": ["AA", "AA"], "delay": [[1.0], [None]], "weather": [[2.0, 0.5], [1.0, 0.5]]}


def asked(kind: str, *bodies: object) -> tuple[list[Any], Context]:
    """What requests of that form are answered, in one batch."""
    sent = [{"body": body if isinstance(body, bytes) else json.dumps(body).encode()} for body in bodies]
    context = Context(kinds=dict.fromkeys(range(len(sent)), kind))
    return [json.loads(one) for one in handler().handle(sent, context)], context


def totals(*rows: tuple[str | None, float | None, float]) -> list[Any]:
    return list(json.loads(handler().handle([request(list(rows))], Context())[0])["outputs"][0]["data"])


def test_tensorflow_servings_requests_are_answered_by_row_or_by_column() -> None:
    wrapped = {**ROW, "carrier": {"b64": "QUE="}}
    bodies = {"instances": [ROW, wrapped]}, {"inputs": COLUMNS}, {"instances": [ROW], "signature_name": "any"}
    [rows, columns, alone], context = asked(TENSORFLOW, *bodies)
    one, missing = totals(("AA", 1.0, 2.0), ("AA", None, 1.0))
    assert rows == {"predictions": [[one], [one]]}
    assert columns == {"outputs": [[one], [missing]]}
    assert alone == {"predictions": [[one]]}
    assert context.types == dict.fromkeys(range(3), "application/json")


def test_torchserves_requests_are_a_row_or_a_list_of_rows() -> None:
    [row, rows], _ = asked(TORCHSERVE, ROW, [ROW, {**ROW, "delay": [1.0]}])
    [one] = totals(("AA", 1.0, 2.0))
    assert (row, rows) == ([one], [[one], [one]])


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        (TENSORFLOW, {}, "instances"),
        (TENSORFLOW, {"instances": [], "inputs": {}}, "instances"),
        (TENSORFLOW, {"instances": []}, "at least one row"),
        (TENSORFLOW, {"instances": [ROW, {"carrier": "AA"}]}, "differ"),
        (TENSORFLOW, {"instances": [{**ROW, "carrier": {"b64": "?"}}]}, "b64"),
        (TENSORFLOW, {"instances": [{**ROW, "more": 1}]}, "more"),
        (TENSORFLOW, {"instances": [{**ROW, "weather": [1.0]}]}, "weather"),
        (TENSORFLOW, {"inputs": [[1.0]]}, "inputs"),
        (TENSORFLOW, {"inputs": {**COLUMNS, "delay": 1.0}}, "delay"),
        (TENSORFLOW, b"\xff", "JSON"),
        (TORCHSERVE, b"\xff", "carrier"),
        (TORCHSERVE, [], "at least one row"),
        (TORCHSERVE, {**ROW, "delay": {"a": 1}}, "delay"),
        (TORCHSERVE, 7, "missing"),
    ],
)
def test_other_servers_wrong_requests_fail_alone(kind: str, body: object, told: str) -> None:
    good = {"instances": [ROW]} if kind == TENSORFLOW else ROW
    [first, bad, last], context = asked(kind, good, body, good)
    assert context.statuses == {1: 400}
    assert told in bad["error"]
    assert first == last == asked(kind, good)[0][0]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([TENSORFLOW, TORCHSERVE]), garbage())
def test_whatever_another_servers_client_sends_is_answered(kind: str, body: object) -> None:
    _, context = asked(kind, body, {"instances": body}, {"inputs": body}, [body])
    assert set(context.statuses.values()) <= {400}


def test_a_model_of_one_input_takes_its_value_alone() -> None:
    text = OpenInferenceHandler()
    text.name, text.version = "text", "v1"
    text.signature = Signature("text", (TensorSpec("word", "BYTES"),), (TensorSpec("sum", "FP64"),), {"word": ["a"]})
    text.answers = scripted(lambda word: (word % 1000).double())
    bodies = {0: b"caf\xc3\xa9 au lait", 1: b'"caf\u00e9 au lait"', 2: b'[{"word": "caf\u00e9 au lait"}]'}
    first, second, third = text.handle([{"body": body} for body in bodies.values()],
                                       Context(kinds=dict.fromkeys(bodies, TORCHSERVE)))  # fmt: skip
    assert json.loads(first) == json.loads(second) == json.loads(third)[0]
    context = Context(kinds={0: TENSORFLOW, 1: TENSORFLOW})
    values = [{"body": json.dumps({"instances": ["caf\u00e9 au lait"]}).encode()},
              {"body": json.dumps({"inputs": ["caf\u00e9 au lait"]}).encode()}]  # fmt: skip
    by_row, by_column = text.handle(values, context)
    assert json.loads(by_row)["predictions"] == json.loads(by_column)["outputs"] == json.loads(third)
