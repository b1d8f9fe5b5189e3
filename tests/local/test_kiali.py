"""The graph around an endpoint, from Kiali, which cannot run here (its answers are played), or a real Prometheus."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_server import SCRAPE_S, Page, page, prometheus
from seaway.platforms.kubernetes.kiali import KialiGraph
from seaway.serving import Arm, DeployedEndpoint

ARMS = {arm: Arm(arm, arm, arm) for arm in ("stable", "candidate")}
ENDPOINT = DeployedEndpoint("flights", "r1", Path("/none"), arms=ARMS)


@pytest.fixture
def kiali() -> Iterator[Page]:
    with page() as shown:
        yield shown


def graph(**rates: str) -> dict[str, Any]:
    """As Kiali 2 answers for a gateway that calls both arms."""
    nodes = [
        {"data": {"id": "gateway", "nodeType": "workload", "namespace": "istio-system", "workload": "ingress"}},
        {"data": {"id": "stable", "nodeType": "service", "namespace": "team", "service": "flights-stable"}},
        {"data": {"id": "candidate", "nodeType": "service", "namespace": "team", "service": "flights-candidate"}},
        {"data": {"id": "other", "nodeType": "service", "namespace": "team", "service": "other"}},
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
        for name in ("stable", "other")
    ]
    edges.append({"data": {"id": "e", "source": "gateway", "target": "candidate", "traffic": traffic}})
    return {"timestamp": 1, "graphType": "workload", "elements": {"nodes": nodes, "edges": edges}}


def test_kialis_edges_to_the_arms_are_told_with_their_health(kiali: Page) -> None:
    kiali.text = json.dumps(graph(http="0.50", httpPercentErr="20.0", httpPercentReq="5.0"))
    told = KialiGraph("team", kiali.url, "").read(ENDPOINT).to_json()
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
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_not_understood_is_none(kiali: Page, text: str) -> None:
    kiali.text = text
    told = KialiGraph("team", kiali.url, "").read(ENDPOINT)
    assert (told.edges, told.source) == ((), "")
    assert "kiali" in told.note


def test_prometheus_stands_in(kiali: Page, tmp_path: Path) -> None:
    with page() as gateway, prometheus(gateway.url.split("/")[2], tmp_path) as url:
        graphs, begun = KialiGraph("team", kiali.url, url), time.monotonic()
        service = "destination_service_name"
        to = 'reporter="source",source_workload="ingress",destination_service_namespace="team"'
        while not (told := graphs.read(ENDPOINT)).edges:
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
