"""Each check of the Open Inference Protocol finds the fault that it is there for, and nothing in a server without."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from http_server import serving, url
from seaway.errors import InferenceUnavailable, InvalidSpec
from seaway.models import Signature, TensorSpec
from seaway.serving import conformance
from seaway.serving.conformance.check import alike
from seaway.serving.protocol.codecs import Json
from seaway.serving.protocol.request import read_request

SIGNATURE = Signature(
    "sum",
    (TensorSpec("a", "FP64"), TensorSpec("b", "FP64", (-1, 2))),
    (TensorSpec("total", "FP64"), TensorSpec("first", "FP64")),
    {"a": [1.0], "b": [[1.0, 2.0]]},
)
Fault = Callable[[dict[str, Any]], Any]


class Server(BaseHTTPRequestHandler):
    """A small server of the protocol, without gRPC; `fault` spoils its answers, `strict` is what it refuses by."""

    protocol_version = "HTTP/1.1"
    fault: Fault = staticmethod(lambda answer: answer)
    refusal = 400
    known_models = True
    strict = True

    def do_GET(self) -> None:
        specs = {side: [vars_of(one) for one in getattr(SIGNATURE, side)] for side in ("inputs", "outputs")}
        told = {
            "/v2": {"name": "small", "version": "2", "extensions": ["binary_tensor_data"]},
            "/v2/models/sum": {"name": "sum", "platform": "none", **specs},
            **{path: {"ready": True} for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/sum/ready")},
        }
        self.answer(200, told[self.path]) if self.path in told else self.answer(404, {"error": "no such path"})

    def head_is_strict(self) -> bool:
        """What `http.server` lets pass, as that more than one length is told; it takes no coding either."""
        lengths = self.headers.get_all("content-length", [])
        return (
            self.request_version == "HTTP/1.1"
            and len(lengths) == 1
            and re.fullmatch("[0-9]{1,9}", lengths[0]) is not None
            and not self.headers.defects
            and not {"transfer-encoding", "content-encoding"} & {name.lower() for name in self.headers}
            and not any("\0" in value for value in self.headers.values())
        )

    def do_POST(self) -> None:
        if self.strict and not self.head_is_strict():
            self.close_connection = True
            self.answer(400, {"error": "no such head"})
            return
        form = Json(self.headers.get("inference-header-content-length"))
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/v2/models/sum/infer" and self.known_models:
            self.answer(404, {"error": "no such model"})
            return
        try:
            request = read_request(form.body({"body": content}, "sum", SIGNATURE), SIGNATURE)
        except InvalidSpec as error:
            self.answer(self.refusal, {"error": str(error)})
            return
        totals = [
            float(a or 0) + sum(b or 0 for b in self.pair(request, row)) for row, a in enumerate(request.columns["a"])
        ]
        outputs = [
            {"name": name, "datatype": "FP64", "shape": [request.rows, 1], "data": values}
            for name, values in (("total", totals), ("first", [float(a or 0) for a in request.columns["a"]]))
            if not request.outputs or name in request.outputs
        ]
        answer = {"model_name": "sum", "outputs": outputs, **({"id": request.id} if request.id else {})}
        answered = form.inference(type(self).fault(answer))
        self.send(200, answered if isinstance(answered, bytes) else answered.encode(), form.headers)

    @staticmethod
    def pair(request: Any, row: int) -> list[float]:
        flat = request.columns["b"]
        return list(flat[2 * row : 2 * row + 2])

    def answer(self, status: int, told: object) -> None:
        self.send(status, json.dumps(told).encode(), {})

    def send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def vars_of(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


@contextmanager
def small_server(**changes: Any) -> Iterator[str]:
    """The URL of a server that has these attributes."""
    with serving(type("Changed", (Server,), changes)) as server:
        server.daemon_threads = True
        yield url(server)


def failed(address: str) -> set[str]:
    """The checks that fail, but for those of gRPC, which this server has not."""
    outcomes = list(conformance.run(conformance.Target(address, "sum", connections=5, timeout_s=10)))
    assert {one.state for one in outcomes if "grpc" in one.check} == {"failed"}
    return {one.check for one in outcomes if one.state != "ok" and "grpc" not in one.check}


def spoiled(change: Callable[[dict[str, Any]], object]) -> Fault:
    def fault(answer: dict[str, Any]) -> dict[str, Any]:
        change(answer)
        return answer

    return staticmethod(fault)  # type: ignore[return-value]


calls = iter(range(10**6))
FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "none": ({}, set()),
    "failing where it should refuse": (
        {"refusal": 500},
        {"every wrong request is refused and told why", "those beside wrong requests are answered as if alone",
         "a bad request in a pipeline is the only one that is refused",
         "tensors in binary of wrong sizes are refused"},
    ),
    "any model": ({"known_models": False}, {"another model is not found", "wrong heads are refused or cut off"}),
    "any head": ({"strict": False}, {"wrong heads are refused or cut off"}),
    "no id": ({"fault": spoiled(lambda answer: answer.pop("id", None))}, {"an id comes back"}),
    "a value too few": (
        {"fault": spoiled(lambda answer: answer["outputs"][0]["data"].pop())},
        {"an answer has every output whole"},
    ),
    "an output too many": (
        {"fault": spoiled(lambda answer: answer["outputs"].append({**answer["outputs"][0], "name": "more"}))},
        {"an answer has every output whole", "only the outputs that are asked for come"},
    ),
    "never the same": (
        {"fault": spoiled(lambda answer: answer["outputs"][0]["data"].__setitem__(0, float(next(calls))))},
        {"nested data are as flat ones", "the order of inputs does not matter",
         "tensors in binary are as those in json", "those beside wrong requests are answered as if alone"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_its_checks(fault: str) -> None:
    changes, expected = FAULTS[fault]
    with small_server(**changes) as address:
        assert failed(address) == expected


def test_answers_differ_by_more_than_rounding_or_not_at_all() -> None:
    outputs = [{"name": "total", "shape": [2], "data": [0.36608120799064636, 0.0]}]
    assert alike(outputs, [{"name": "total", "shape": [2], "data": [0.366081178188324, 1e-9]}])
    for other in ([0.367, 0.0], [0.36608120799064636], [0.36608120799064636, None], [0.36608120799064636, False]):
        assert not alike(outputs, [{"name": "total", "shape": [2], "data": other}])
    assert not alike([1], [True])
    assert not alike({"a": 1}, {"b": 1})


def test_a_model_that_is_not_there_is_told_at_once() -> None:
    with small_server() as address, pytest.raises(InferenceUnavailable, match="no metadata of flights"):
        _ = conformance.Target(address, "flights").metadata
