"""Weights in an HTTPRoute, through the same istiod and Envoy."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import edge
import pytest
from kubernetes import dynamic
from namespaces import made_namespace
from routes import http_route
from seaway.errors import TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.traffic import gateway as proof
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.gateway_api import GATEWAYS, HTTP_ROUTES, GatewayApiTraffic
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint


@pytest.fixture(scope="module")
def connection(cluster: dynamic.DynamicClient) -> Iterator[Connection]:
    """One namespace with both arms, and a Gateway that is named as the namespace."""
    edge.require_gateway(cluster)
    with made_namespace(cluster) as name:
        connection = replace(connect(), namespace=name)
        edge.start(connection)
        with edge.in_istio_namespace(connection, edge.api_gateway(name, name), GATEWAYS):
            yield connection


@pytest.fixture
def objects(connection: Connection) -> Iterator[Objects]:
    objects = Objects(connection)
    yield objects
    edge.clear(objects, HTTP_ROUTES)


@pytest.fixture
def endpoint(objects: Objects, tmp_path: Path) -> DeployedEndpoint:
    return edge.endpoint(objects.namespace, tmp_path)


def traffic(objects: Objects, admin: str = edge.ADMIN, named: str = "", gateway: str = "") -> GatewayApiTraffic:
    name = gateway or f"{edge.ISTIO_NAMESPACE}/{objects.namespace}"
    return GatewayApiTraffic(objects.connection, Gateway(name, admin, ""), named)


@pytest.mark.parametrize("admin", [edge.ADMIN, ""], ids=["by its Envoy", "by answers"])
def test_traffic_follows_the_weights_at_once(objects: Objects, endpoint: DeployedEndpoint, admin: str) -> None:
    moved = traffic(objects, admin)
    edge.assert_follows(moved, endpoint, requests=100)
    assert edge.answering(endpoint, 5, "candidate") == {"candidate": 5}
    moved.mirror(endpoint, 50)
    assert edge.answering(endpoint, 5) == {"stable": 5}


def test_a_gateway_that_is_not_programmed_is_told(
    objects: Objects, endpoint: DeployedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """istiod accepts a route to a Gateway of another namespace than its own, and answers 404."""
    monkeypatch.setattr(proof, "FOLLOW_S", 5.0)
    objects.create(GATEWAYS, edge.api_gateway(objects.namespace))
    with pytest.raises(TrafficFailed, match="is not Programmed"):
        traffic(objects, gateway=f"{objects.namespace}/edge").set_weights(endpoint, ALL_STABLE)
    route = objects.get(HTTP_ROUTES, endpoint.name)
    assert route
    assert {"Accepted": "True"}.items() <= {
        entry["type"]: entry["status"] for entry in route["status"]["parents"][0]["conditions"]
    }.items()


def test_a_gateway_that_does_not_exist_is_told(
    objects: Objects, endpoint: DeployedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "FOLLOW_S", 2.0)
    with pytest.raises(TrafficFailed, match="does not follow its weights"):
        traffic(objects, gateway=f"{objects.namespace}/nowhere").set_weights(endpoint, ALL_STABLE)


def test_somebodys_route_is_moved_at_its_weights_only(objects: Objects, endpoint: DeployedEndpoint) -> None:
    parent = {"name": objects.namespace, "namespace": edge.ISTIO_NAMESPACE}
    before = http_route(objects, endpoint, parent)
    moved = traffic(objects, named="httproute/site#1")
    moved.set_weights(endpoint, {"stable": 0, "candidate": 100})
    assert edge.answering(endpoint, 10) == {"candidate": 10}
    moved.set_weights(endpoint, ALL_STABLE)
    after = objects.get(HTTP_ROUTES, "site")
    assert after
    assert after["spec"] == before["spec"]
