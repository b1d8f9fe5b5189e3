"""The judge gets a loss of every legal answer, and refuses before the first request what it cannot judge."""

import json
import math
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.rollout import Replay, Yardstick
from seaway.serving import ARMS, Arm, DeployedEndpoint
from seaway.tasks import Target

from tests.support import http_server

CUT = Target("multiclass", "cut", output="probabilities", classes=("Fair", "Good", "Ideal"))
PRICE = Target("regression", "price", facts={"mean": 50.0, "deviation": 10.0, "span": 100.0})
ROWS = pa.table({"cut": ["Fair", "Ideal", "New"], "price": [10.0, 50.0, 90.0], "late": [0, 1, 1], "x": [1.0, 2.0, 3.0]})


def loss(targets: Mapping[str, Target], number: int, outputs: Mapping[str, Any], arm: str = "candidate") -> float:
    return Yardstick.of(targets).losses(ROWS, "The rows")(arm, number, outputs)


def test_every_task_has_losses_and_each_arm_is_read_by_its_own_order_of_classes() -> None:
    turned = Target("multiclass", "cut", classes=("Ideal", "Good", "Fair"))
    assert loss({"candidate": CUT}, 0, {"other": [9.0], "probabilities": [1.0, 0.0, 0.0]}) == 0
    assert loss({"stable": CUT, "candidate": turned}, 0, {"probabilities": [1.0, 0.0, 0.0]}) == 1
    assert loss({"candidate": CUT}, 2, {"probabilities": [1.0, 0.0, 0.0]}) == 1
    assert loss({"stable": PRICE}, 1, {"p": [60.0]}) == pytest.approx(0.1)
    assert loss({"stable": PRICE}, 1, {"p": [1e9]}) == 1
    assert Yardstick.of({}, "late", "binary").losses(ROWS, "rows")("stable", 1, {"p": [0.3, 0.7]}) == pytest.approx(
        0.09
    )


@pytest.mark.parametrize(
    "outputs",
    [{}, {"p": []}, {"p": [None]}, {"p": ["a"]}, {"p": [math.inf]}, {"p": [1.0, 2.0]}, {"p": [[1.0], [2.0, 3.0]]}],
)
def test_an_answer_that_is_none_is_no_loss_but_invalid(outputs: Mapping[str, Any]) -> None:
    assert math.isnan(loss({"stable": PRICE}, 1, outputs))


@pytest.mark.parametrize(
    ("targets", "label", "task", "reason"),
    [
        ({}, "", "", "No loss can be counted"),
        ({}, "late", "", "No loss can be counted"),
        ({"stable": CUT}, "price", "", "predicts 'cut'"),
        ({"stable": CUT}, "", "binary", "predicts 'cut'"),
        ({"stable": CUT, "candidate": PRICE}, "", "", "no loss compares them"),
        ({"stable": Target("survival", "late")}, "", "", "No Task backend"),
    ],
)
def test_what_cannot_be_judged_is_refused(targets: Mapping[str, Target], label: str, task: str, reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        Yardstick.of(targets, label, task).losses(ROWS, "The rows")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Target("binary", "sold"), "lack the label 'sold'"),
        (Target("binary", "price"), "holds 10, 50, 90"),
        (Target("regression", "cut"), "wants numbers"),
        (Target("multiclass", "cut", classes=("a", "b")), "none of which is a class"),
    ],
)
def test_labels_of_another_task_are_refused_before_anything_is_sent(target: Target, reason: str) -> None:
    with pytest.raises(DataUnreadable, match=reason):
        Yardstick.of({"stable": target}).losses(ROWS.slice(0, 3), "The rows")


class Model(BaseHTTPRequestHandler):
    """A regression that answers twice its input; each arm is told apart by the header that asks for it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._say({"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1]}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        value = 2 * body["inputs"][0]["data"][0]
        self._say({"outputs": [{"name": "p", "datatype": "FP32", "shape": [1, 1], "data": [value]}]})

    def _say(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.send_header("x-seaway-arm", self.headers.get("x-seaway-arm") or "stable")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[DeployedEndpoint]:
    with http_server.serving(Model) as server:
        arms = {name: Arm(name, str(tmp_path), name) for name in ARMS}
        deployed = DeployedEndpoint("sizes", "r1", tmp_path, http_server.url(server), arms=arms)
        deployed.token_file.write_text("token")
        yield deployed


def test_rows_without_times_are_sent_as_they_are_and_legal_answers_are_no_errors(
    endpoint: DeployedEndpoint, tmp_path: Path
) -> None:
    x = np.linspace(0, 50, 40)
    pq.write_table(pa.table({"x": x, "price": 2 * x + 10}), tmp_path / "replay.parquet")
    with Replay(tmp_path / "replay.parquet", endpoint, Yardstick.of({"stable": PRICE}), shadow=0.5) as replay:
        answers = replay.send(40)
    assert answers.invalid == {"stable": 0, "candidate": 0}
    assert len(answers.losses["stable"]) == 40
    assert answers.losses["candidate"] == pytest.approx([0.1] * 20)
    assert answers.differences == pytest.approx([0.0] * 20)


def test_without_a_yardstick_answers_only_have_to_be_usable(endpoint: DeployedEndpoint, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.0, 2.0]}), tmp_path / "replay.parquet")
    with Replay(tmp_path / "replay.parquet", endpoint) as replay:
        answers = replay.send(2)
    assert answers.invalid == {"stable": 0, "candidate": 0}
    assert answers.losses == {"stable": [], "candidate": []}
