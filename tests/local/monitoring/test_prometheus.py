"""A real Prometheus scrapes Envoy and a model server of a real endpoint, records by our rules, answers dashboards."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from prometheus_server import answering, prometheus
from seaway.model_server import unix_http
from seaway.model_server.envoy import process as envoy
from seaway.model_server.uvicorn.server import UvicornServer
from seaway.monitoring import Objectives, rule_file
from seaway.monitoring.dashboards import dashboards
from seaway.monitoring.export import Sample, publish
from seaway.platforms.kubernetes.client.prometheus import query
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import Client, DeployedEndpoint, EndpointSpec
from small_package import WEATHER, small_package

REQUESTS = 30
WITHIN_S = 300
ROW = {"plan": np.array([["AA"]], object), "distance": np.array([[100.0]]), "weather": np.full((1, WEATHER), 0.5)}
CONFIG = """
global: {{scrape_interval: {interval}ms, scrape_timeout: {interval}ms, evaluation_interval: {interval}ms}}
rule_files: [rules.yml]
scrape_configs:
- job_name: envoy
  metrics_path: /stats/prometheus
  static_configs: [{{targets: ["{target}"], labels: {{endpoint: flights, job: seaway, exporter: envoy}}}}]
- job_name: server
  metrics_path: /metrics
  static_configs: [{{targets: ["{target}"], labels: {{endpoint: flights, job: seaway, exporter: server}}}}]
- job_name: checks
  metrics_path: /checks
  static_configs: [{{targets: ["{target}"]}}]
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedEndpoint]:
    state = tmp_path_factory.mktemp("state")
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_HOME", str(state))
    endpoints = LocalEndpoint()
    package = small_package(tmp_path_factory.mktemp("package"), state)
    yield endpoints.deploy(EndpointSpec("flights", "r1", package))
    endpoints.remove("flights", "r1")
    environment.undo()


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checks")
    publish("flights", "drift", [Sample("seaway_drift_alarm", 1.0), Sample("seaway_drift_columns_share", 0.3)], folder)
    return folder / "seaway_flights_drift.prom"


@pytest.fixture(scope="module")
def server(endpoint: DeployedEndpoint, checks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Prometheus on the endpoint's sockets, which a server on loopback shows as a pod's second port does."""
    shown = {
        "/stats/prometheus": envoy.admin_socket(endpoint),
        "/metrics": UvicornServer().statistics(endpoint, endpoint.arms["stable"]),
    }

    def answer(path: str) -> bytes:
        return checks.read_bytes() if path == "/checks" else unix_http.request(shown[path], "GET", path)[1]

    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "rules.yml").write_text(yaml.safe_dump(rule_file(Objectives())))
    with answering(answer) as address, prometheus(address, folder, CONFIG) as url:
        awaited(url, 'sum(up{job="seaway"}) == 2')  # a rate needs the counters from before the requests
        with Client(endpoint.url, endpoint.token()) as client:
            for _ in range(REQUESTS):
                client.infer("flights", ROW)
                client.ready("flights")
                time.sleep(0.05)
        yield url


def awaited(url: str, expression: str) -> list[Any]:
    """The first answer that is not empty."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if found := query(url, expression, 10.0):
            return found
        time.sleep(0.2)
    raise AssertionError(f"Prometheus never answered {expression}")


def test_envoy_counts_the_requests_and_not_the_probes(server: str) -> None:
    counted = 'sum(envoy_cluster_upstream_rq_completed{endpoint="flights",envoy_cluster_name!~".*-control"})'
    awaited(server, f"{counted} == {REQUESTS}")


def test_the_model_server_tells_its_own_counters(server: str) -> None:
    awaited(server, f'sum(seaway_server_requests_total{{endpoint="flights",code="200"}}) >= {REQUESTS}')
    awaited(server, 'sum(seaway_server_queue_seconds_sum{endpoint="flights"}) > 0')


@pytest.mark.parametrize("record", ["requests:rate5m", "latency_seconds:quantile5m", "requests:rate3d"])
def test_rules_record_what_really_happened(server: str, record: str) -> None:
    [found] = awaited(server, f'seaway:{record}{{endpoint="flights",via="envoy"}} > 0')
    assert math.isfinite(float(found["value"][1]))


def test_an_endpoint_without_an_error_has_an_error_ratio_of_nothing(server: str) -> None:
    awaited(server, 'seaway:error_ratio:rate5m{endpoint="flights",via="envoy"} == 0')


def test_a_drift_alarm_of_the_textfile_fires(server: str) -> None:
    [alert] = awaited(server, 'ALERTS{alertname="SeawayDrift",alertstate="firing"}')
    assert alert["metric"]["model"] == "flights"


def panels(board: str) -> list[tuple[str, str]]:
    return [
        (panel["title"], target["expr"].replace("$endpoint", "flights").replace("$model", "flights"))
        for panel in dashboards(Objectives())[board]["panels"]
        for target in panel["targets"]
    ]


@pytest.mark.parametrize("board", dashboards(Objectives()))
def test_prometheus_answers_every_panel(server: str, board: str) -> None:
    for _, expression in panels(board):
        query(server, expression, 10.0)


@pytest.mark.parametrize(("title", "expression"), panels("seaway-endpoint.json"))
def test_every_panel_of_an_endpoint_shows_something(server: str, title: str, expression: str) -> None:
    awaited(server, expression)
