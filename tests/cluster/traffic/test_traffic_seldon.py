"""Weights of a SeldonDeployment, checked by the real API server and led through a real Envoy.

Seldon's operator cannot run here; `operating` does what it does about routes, and nothing else: one VirtualService and
a DestinationRule for each predictor, from `predictors[].traffic` and `shadow`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import edge
import pytest
import tiny_model
from kubernetes import dynamic
from routes import seldon_deployment
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.metrics.gateway_stats import GatewayMetrics
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon import SELDON_DEPLOYMENTS, SeldonTraffic
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint


@pytest.fixture(scope="module")
def connection(cluster: dynamic.DynamicClient) -> Iterator[Connection]:
    with edge.behind_istio(cluster) as connection:
        edge.start(connection)
        yield connection


@pytest.fixture
def objects(connection: Connection) -> Iterator[Objects]:
    objects = Objects(connection)
    yield objects
    edge.clear(objects, SELDON_DEPLOYMENTS)


@pytest.fixture
def endpoint(objects: Objects, tmp_path: Path) -> DeployedEndpoint:
    served = edge.endpoint(objects.namespace, tmp_path)
    return replace(served, url=f"{served.url}/seldon/{objects.namespace}/{served.name}")


def virtual_service(deployment: dict[str, Any], host: str) -> dict[str, Any]:
    """As Seldon's operator writes it: Services and subsets are called after predictors, a shadow is a mirror."""
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    route: dict[str, Any] = {
        "match": [{"uri": {"prefix": f"/seldon/{namespace}/{name}/"}}],
        "rewrite": {"uri": "/"},
        "route": [],
    }
    for predictor in deployment["spec"]["predictors"]:
        target = {"host": f"{name}-{predictor['name']}", "subset": predictor["name"], "port": {"number": 80}}
        if predictor.get("shadow"):
            route.update(mirror=target, mirrorPercentage={"value": predictor["traffic"]})
        else:
            route["route"].append({"destination": target, "weight": predictor["traffic"]})
    spec = {"hosts": [host], "gateways": ["edge"], "http": [route]}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": name}, "spec": spec}


@contextmanager
def operating(objects: Objects, endpoint: DeployedEndpoint) -> Iterator[None]:
    """Reconcile until the block ends."""
    ended = threading.Event()
    for arm, served in endpoint.arms.items():
        subset = {"name": arm, "labels": tiny_model.labels(served.version)}
        rule = {"host": f"{edge.NAME}-{arm}", "subsets": [subset]}
        metadata = {"name": f"{edge.NAME}-{arm}"}
        objects.apply(
            DESTINATION_RULES,
            {
                "apiVersion": DESTINATION_RULES.api_version,
                "kind": "DestinationRule",
                "metadata": metadata,
                "spec": rule,
            },
        )

    def reconcile() -> None:
        seen = ""
        while not ended.wait(0.1):
            found = objects.get(SELDON_DEPLOYMENTS, edge.NAME)
            if found and found["metadata"]["resourceVersion"] != seen:
                objects.apply(VIRTUAL_SERVICES, virtual_service(found, endpoint.host))
                seen = found["metadata"]["resourceVersion"]

    thread = threading.Thread(target=reconcile)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        objects.delete(VIRTUAL_SERVICES, edge.NAME)
        while objects.get(VIRTUAL_SERVICES, edge.NAME):
            time.sleep(0.1)


def traffic(objects: Objects, admin: str = edge.ADMIN) -> SeldonTraffic:
    return SeldonTraffic(objects.connection, edge.gateway(objects.namespace, admin), "")


@pytest.mark.parametrize("admin", [edge.ADMIN, ""], ids=["by its Envoy", "by answers"])
def test_predictors_get_the_traffic_and_seldon_writes_the_route(
    objects: Objects, endpoint: DeployedEndpoint, admin: str
) -> None:
    before = seldon_deployment(objects, edge.NAME, **ALL_STABLE)
    moved = traffic(objects, admin)
    with operating(objects, endpoint):
        for candidate in (50, 100, 0):
            moved.set_weights(endpoint, {"stable": 100 - candidate, "candidate": candidate})
            assert moved.weights(endpoint) == {"stable": 100 - candidate, "candidate": candidate}
        written = objects.get(VIRTUAL_SERVICES, edge.NAME)
        assert written
        assert [item["metadata"]["name"] for item in objects.list(VIRTUAL_SERVICES).items] == [edge.NAME]
    after = objects.get(SELDON_DEPLOYMENTS, edge.NAME)
    assert after
    assert after["spec"] == before["spec"]


def test_a_shadow_predictor_gets_copies_until_it_gets_traffic(objects: Objects, endpoint: DeployedEndpoint) -> None:
    seldon_deployment(objects, edge.NAME, **ALL_STABLE)
    moved, metrics = traffic(objects), GatewayMetrics(objects.namespace, edge.STATS)
    with operating(objects, endpoint):
        moved.mirror(endpoint, 100)
        found = objects.get(SELDON_DEPLOYMENTS, edge.NAME)
        assert found
        assert [(entry.get("shadow"), entry["traffic"]) for entry in found["spec"]["predictors"]] == [
            (None, 100),
            (True, 100),
        ]
        before, deadline = metrics.read(endpoint)["candidate"].requests, time.monotonic() + 30
        while metrics.read(endpoint)["candidate"].requests == before:
            edge.answering(endpoint, 1)
            assert time.monotonic() < deadline
        moved.set_weights(endpoint, {"stable": 50, "candidate": 50})
        found = objects.get(SELDON_DEPLOYMENTS, edge.NAME)
        assert found
        assert not any("shadow" in entry for entry in found["spec"]["predictors"])
