import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.model_server.torchserve.handler import OpenInferenceHandler
from seaway.models import Signature, TensorSpec

SIGNATURE = Signature(
    name="sum",
    inputs=(TensorSpec("carrier", "BYTES"), TensorSpec("delay", "FP32"), TensorSpec("weather", "FP32", (-1, 2))),
    outputs=(TensorSpec("total", "FP64"),),
    sample={"carrier": ["AA"], "delay": [1.0], "weather": [[1.0, 2.0]]},
)


class Context:
    """What TorchServe gives a handler for one batch: marks by request in, statuses out."""

    def __init__(self, marks: dict[int, str] | None = None) -> None:
        self.marks, self.statuses = marks or {}, {}  # type: ignore[var-annotated]

    def get_request_header(self, index: int, name: str) -> str | None:
        return self.marks.get(index)

    def set_response_content_type(self, index: int, value: str) -> None:
        assert value == "application/json"

    def set_response_status(self, code: int, idx: int) -> None:
        self.statuses[idx] = code


def handler() -> OpenInferenceHandler:
    made = OpenInferenceHandler()
    made.name, made.version, made.signature = "sum", "v1", SIGNATURE
    made.graph = lambda carrier, delay, weather: (carrier % 1000 + delay + weather.sum(1, keepdim=True)).double()
    torch.set_grad_enabled(False)
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
    made.graph = None
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
    monkeypatch.setattr(made, "load", lambda folder: made.graph)
    made.initialize(SimpleNamespace(system_properties={"model_dir": str(tmp_path)}, model_name="sum"))
    [told] = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert served in told
    assert missing in told
    assert "outputs" in json.loads(made.handle([request([("AA", 1.0, 1.0)], id="f1")], Context())[0])
