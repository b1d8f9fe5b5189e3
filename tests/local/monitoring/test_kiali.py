"""The graph around an endpoint by answers of Kiali that are played, as odd ones must be, or by a real Prometheus.

tests/apiserver/test_kiali.py asks Kiali itself where it is on PATH.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from http_server import serving, url
from prometheus_server import SCRAPE_S, page, prometheus
from seaway.platforms.kubernetes.metrics.kiali import KialiServiceGraph
from seaway.reporting import Page
from seaway.reporting.rollout_section import callers_blocks
from seaway.serving import Arm, DeployedEndpoint

ARMS = {arm: Arm(arm, arm, arm) for arm in ("stable", "candidate")}
ENDPOINT = DeployedEndpoint("flights", "r1", Path("/none"), arms=ARMS)


@dataclass
class FakeKiali:
    """What Kiali's server would say: GET /api/namespaces/graph as its OpenAPI description (kiali.io) has it.

    `token` is the bearer that it wants; `text` is answered in place of the graph.
    """

    url: str = ""
    graph: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""
    text: str | None = None
    namespaces: tuple[str, ...] = ("team", "istio-system")

    def answer(self, path: str, authorization: str) -> tuple[int, str]:
        if self.token and authorization != f"Bearer {self.token}":
            return 401, ""
        address = urlsplit(path)
        asked = parse_qs(address.query)
        if address.path == "/kiali/api/namespaces":
            return 200, json.dumps([{"name": name} for name in self.namespaces])
        if address.path != "/kiali/api/namespaces/graph" or asked.get("namespaces") != [",".join(self.namespaces)]:
            return 404, ""
        if asked["graphType"] != ["workload"] or not re.fullmatch(r"[0-9]+s", asked["duration"][0]):
            return 400, '{"error": "Invalid query parameter"}'
        return 200, json.dumps(self.graph) if self.text is None else self.text


@pytest.fixture
def kiali() -> Iterator[FakeKiali]:
    played = FakeKiali()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = played.answer(self.path, self.headers.get("authorization", ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *arguments: object) -> None:
            """Requests are not printed."""

    with serving(Handler) as server:
        played.url = f"{url(server)}/kiali"
        yield played


def graph(**rates: str) -> dict[str, Any]:
    """As Kiali 2 answers for a gateway that calls both arms."""
    nodes = [
        {"data": {"id": "gateway", "nodeType": "workload", "namespace": "istio-system", "workload": "ingress"}},
        {"data": {"id": "stable", "nodeType": "service", "namespace": "team", "service": "flights-stable"}},
        {"data": {"id": "candidate", "nodeType": "service", "namespace": "team", "service": "flights-candidate"}},
        {"data": {"id": "other", "nodeType": "service", "namespace": "team", "service": "other"}},
        {"data": {"id": "alien", "nodeType": "service", "namespace": "others", "service": "flights-stable"}},
    ]
    traffic = {"protocol": "http", "rates": rates}
    edges = [
        {
            "data": {
                "id": name,
                "source": "gateway",
                "target": name,
                "traffic": {"protocol": "http", "rates": {"http": "9.50"}},
            }
        }
        for name in ("stable", "other", "alien")
    ]
    edges.append({"data": {"id": "e", "source": "gateway", "target": "candidate", "traffic": traffic}})
    return {"timestamp": 1, "graphType": "workload", "elements": {"nodes": nodes, "edges": edges}}


def test_kialis_edges_to_the_arms_are_told_with_their_health(kiali: FakeKiali) -> None:
    kiali.graph = graph(http="0.50", httpPercentErr="20.0", httpPercentReq="5.0")
    told = KialiServiceGraph("team", kiali.url, "").read(ENDPOINT, 60).to_json()
    assert told["source"] == "kiali"
    assert {
        edge["target"]: (edge["requests_per_s"], edge["error_share"], edge["health"]) for edge in told["edges"]
    } == {
        "flights-stable": (9.5, 0.0, "healthy"),
        "flights-candidate": (0.5, 0.2, "failing"),
    }


BROKEN = {
    "html": "<html>login</html>",
    "another shape": json.dumps({"elements": {"nodes": [{"id": 1}]}}),
    "a list": "[]",
    "nothing": "",
    "no numbers": json.dumps(graph(http="many")),
    "not a number": json.dumps(graph(http="NaN")),
    "more errors than requests": json.dumps(graph(http="1", httpPercentErr="200")),
    "a name that is none": json.dumps(graph(http="1")).replace('"flights-stable"', '{"x": 1}'),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_not_understood_is_none(kiali: FakeKiali, text: str) -> None:
    kiali.text = text
    told = KialiServiceGraph("team", kiali.url, "").read(ENDPOINT, 60)
    assert (told.edges, told.source) == ((), "")
    assert "kiali" in told.note


def test_kiali_is_shown_the_token_that_it_wants(
    kiali: FakeKiali, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiali.graph, kiali.token = graph(http="0.50"), "secret"
    mesh = KialiServiceGraph("team", kiali.url, "")
    refused = mesh.read(ENDPOINT, 60)
    assert (refused.edges, "401" in refused.note, "secret" in refused.note) == ((), True, False)
    (tmp_path / "token").write_text("secret\n")
    monkeypatch.setenv("SEAWAY_KIALI_TOKEN_FILE", str(tmp_path / "token"))
    assert len(mesh.read(ENDPOINT, 60).edges) == 2


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1", "no address"])
def test_without_kiali_the_report_says_why(address: str) -> None:
    around = KialiServiceGraph("team", address, "").read(ENDPOINT, 60).to_json()
    document = Page("t").section("Around", *callers_blocks({"callers": around})).html()
    assert "Nobody told who called the endpoint" in document


def test_prometheus_stands_in(kiali: FakeKiali, tmp_path: Path) -> None:
    kiali.text = "<html>login</html>"
    with page() as gateway, prometheus(gateway.url.split("/")[2], tmp_path) as server:
        graphs, begun = KialiServiceGraph("team", kiali.url, server), time.monotonic()
        service = "destination_service_name"
        to = 'reporter="source",source_workload="ingress",destination_service_namespace="team"'
        while not (told := graphs.read(ENDPOINT, 60)).edges:
            assert time.monotonic() < begun + 60
            count = int(100 * (time.monotonic() - begun)) + 1
            gateway.text = "".join(
                f'istio_requests_total{{{to},{service}="flights-{arm}",response_code="{code}"}} {count}\n'
                for arm, code in (("stable", 200), ("candidate", 200), ("candidate", 500))
            )
            time.sleep(SCRAPE_S)
    assert told.source == "prometheus"
    assert {edge.target: edge.health for edge in told.edges} == {
        "flights-stable": "healthy",
        "flights-candidate": "failing",
    }
