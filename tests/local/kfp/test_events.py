"""What receivers are told of a run, over HTTP: OpenLineage's events by its own client, OTLP by its own messages."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from http_server import serving
from openlineage.client import event_v2 as lineage
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from seaway.errors import InvalidSpec, RunFailed
from seaway.kfp.local.runner import local_run

PIPELINE = """
from kfp import dsl


@dsl.component(base_image="seaway", install_kfp_package=False)
def make(rows: dsl.Output[dsl.Dataset]):
    import os

    with open(rows.path, "w") as file:
        file.write(os.environ["TRACEPARENT"])


@dsl.component(base_image="seaway", install_kfp_package=False)
def use(rows: dsl.Input[dsl.Dataset], fail: bool) -> int:
    if fail:
        raise ValueError("no such rows")
    return 1


@dsl.pipeline(name="told")
def told(fail: bool = False):
    use(rows=make().outputs["rows"], fail=fail)
"""


class Received:
    """What came, by path."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {}
        self.status = 200

    @property
    def events(self) -> list[lineage.RunEvent]:
        """Made anew by OpenLineage's client, which checks each field."""
        return [_event(json.loads(body)) for body in self.bodies.get("/api/v1/lineage", ())]

    @property
    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies.get("/v1/traces", ())]
        return [
            span
            for one in requests
            for found in one.resource_spans
            for part in found.scope_spans
            for span in part.spans
        ]


def _event(told: dict) -> lineage.RunEvent:  # type: ignore[type-arg]
    datasets = {
        "inputs": [lineage.InputDataset(one["namespace"], one["name"]) for one in told.get("inputs") or ()],
        "outputs": [lineage.OutputDataset(one["namespace"], one["name"]) for one in told.get("outputs") or ()],
    }
    run = lineage.Run(told["run"]["runId"], told["run"].get("facets") or {})
    job = lineage.Job(told["job"]["namespace"], told["job"]["name"])
    kind = lineage.RunState(told["eventType"])
    return lineage.RunEvent(
        eventTime=told["eventTime"], producer=told["producer"], run=run, job=job, eventType=kind, **datasets
    )


@pytest.fixture
def received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    found = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.bodies.setdefault(self.path, []).append(body)
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Nothing."""

    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    (tmp_path / "told.py").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    with serving(Handler) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("SEAWAY_EVENTS", f"openlineage+{address}, otlp+{address}")
        yield found


def test_a_run_is_told_with_its_steps_their_data_and_its_trace(received: Received) -> None:
    record = local_run("told.py", {})
    kinds = [(event.job.name, event.eventType.value) for event in received.events if event.eventType]
    assert kinds == [
        *[("told", "START"), ("told.make", "START"), ("told.make", "COMPLETE")],
        *[("told.use", "START"), ("told.use", "COMPLETE"), ("told", "COMPLETE")],
    ]
    whole, _, made, _, used, _ = received.events
    rows = record.steps[0].outputs["rows"]["uri"]
    assert [one.name for one in made.outputs or ()] == [one.name for one in used.inputs or ()] == [rows]
    assert used.run.facets["parent"]["run"]["runId"] == whole.run.runId  # type: ignore[index]
    make, use, run = received.spans
    assert (make.name, use.name, run.name) == ("make", "use", "told")
    assert make.parent_span_id == use.parent_span_id == run.span_id and not run.parent_span_id
    assert run.start_time_unix_nano <= make.start_time_unix_nano <= make.end_time_unix_nano <= run.end_time_unix_nano
    assert Path(rows).read_text() == f"00-{run.trace_id.hex()}-{run.span_id.hex()}-01"  # what the step saw


def test_a_failed_step_is_told_with_its_reason(received: Received) -> None:
    with pytest.raises(RunFailed):
        local_run("told.py", {"fail": "true"})
    *_, used, whole = received.events
    assert [one.eventType.value for one in (used, whole) if one.eventType] == ["FAIL", "FAIL"]
    assert "no such rows" in used.run.facets["errorMessage"]["message"]  # type: ignore[index]
    *_, use, run = received.spans
    assert use.status.code == run.status.code == Status.STATUS_CODE_ERROR and "no such rows" in run.status.message


def test_a_receiver_that_refuses_costs_the_run_a_warning(received: Received, caplog: pytest.LogCaptureFixture) -> None:
    received.status = 503
    with caplog.at_level(logging.WARNING):
        assert local_run("told.py", {}).state == "succeeded"
    assert "/v1/traces was not told of all that happened in this run: it answers 503" in caplog.text
    assert len(received.bodies["/v1/traces"]) == 1  # it is asked once


@pytest.mark.parametrize("setting", ["http://a:1", "kafka+http://a:1", "otlp+a:1", "otlp+http://"])
def test_a_setting_that_names_nobody_is_refused_before_anything_runs(
    received: Received, monkeypatch: pytest.MonkeyPatch, setting: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEAWAY_EVENTS", setting)
    with pytest.raises(InvalidSpec, match="SEAWAY_EVENTS names"):
        local_run("told.py", {})
    assert not (tmp_path / "home" / "runs").exists()
