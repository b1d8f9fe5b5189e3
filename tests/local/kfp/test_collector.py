"""What OpenTelemetry's own collector makes of a run's spans.

`SEAWAY_TEST_OTELCOL` names the program: one that go.opentelemetry.io/collector/cmd/builder has made with `otlpreceiver`
and `otlphttpexporter`.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml
from bare_api_server import running
from free_ports import free_ports
from http_server import serving
from seaway.errors import RunFailed
from seaway.kfp.local.runner import local_run

PIPELINE = """
from kfp import dsl


@dsl.component(base_image="seaway", install_kfp_package=False)
def make() -> int:
    return 1


@dsl.component(base_image="seaway", install_kfp_package=False)
def use(count: int) -> int:
    raise ValueError("no such rows")


@dsl.pipeline(name="told")
def told():
    use(count=make().output)
"""
WAIT_S = 120


@dataclass
class Handed:
    """The spans that a collector has handed on, by name, as it tells them in OTLP's JSON."""

    spans: dict[str, dict[str, Any]] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        found = json.loads(body)["resourceSpans"]
        every = [span for resource in found for scope in resource["scopeSpans"] for span in scope["spans"]]
        self.spans |= {span["name"]: span for span in every}

    def await_count(self, count: int) -> dict[str, dict[str, Any]]:
        end = time.monotonic() + WAIT_S
        while len(self.spans) < count:
            assert time.monotonic() < end, self.spans
            time.sleep(0.1)
        return self.spans


@pytest.fixture
def handed() -> Iterator[tuple[Handed, str]]:
    """What a collector hands on, and the address that it is to be handed to."""
    found = Handed()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Nothing."""

    with serving(Handler) as server:
        yield found, f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def collector(folder: Path, to: str) -> Iterator[str]:
    """Its address, once it answers; the test skips where the program is not there."""
    program = os.environ.get("SEAWAY_TEST_OTELCOL")
    if not program:
        pytest.skip("SEAWAY_TEST_OTELCOL names no collector of OpenTelemetry's")
    [port] = free_ports(1)
    settings = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"otlphttp": {"endpoint": to, "encoding": "json", "compression": "none"}},
        "service": {
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlphttp"]}},
            "telemetry": {"metrics": {"level": "none"}},
        },
    }
    (folder / "collector.yaml").write_text(yaml.safe_dump(settings))
    with running(folder, program, "--config", str(folder / "collector.yaml")):
        address = f"http://127.0.0.1:{port}"
        urllib3.request("GET", address, retries=urllib3.Retry(connect=300, backoff_factor=0.1, backoff_max=1))
        yield address


def test_a_collector_takes_the_spans_of_a_run_and_hands_them_on(
    handed: tuple[Handed, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    (tmp_path / "told.py").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    found, to = handed
    with collector(tmp_path, to) as address:
        monkeypatch.setenv("SEAWAY_EVENTS", f"otlp+{address}")
        with pytest.raises(RunFailed):
            local_run("told.py", {})
        spans = found.await_count(3)
    run, make, use = (spans[name] for name in ("told", "make", "use"))
    assert make["parentSpanId"] == use["parentSpanId"] == run["spanId"]
    assert "no such rows" in use["status"]["message"]
    assert (use["status"]["code"], run["status"]["code"], make["status"].get("code", 0)) == (2, 2, 1)
