"""Weights in an HTTPRoute: written as read, and never over somebody else's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fake_gateway
import pytest
from kubernetes import client
from routes import edited, http_route
from seaway.errors import InvalidSpec, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.traffic import gateway as proof
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.gateway_api import GATEWAYS, HTTP_ROUTES, GatewayApiTraffic
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint

NAMED = "httproute/site#1"


@pytest.fixture
def objects(serve: Callable[..., None], connection: Connection) -> Iterator[Objects]:
    """With a Gateway that is programmed, and a controller that takes up routes."""
    serve(HTTP_ROUTES, GATEWAYS)
    objects = Objects(connection)
    fake_gateway.services(objects)
    program_gateway(objects)
    with fake_gateway.accepting(objects):
        yield objects


def program_gateway(objects: Objects, programmed: str = "True") -> None:
    manifest = {"apiVersion": GATEWAYS.api_version, "kind": GATEWAYS.kind, "metadata": {"name": "edge"}}
    objects.apply(GATEWAYS, manifest)
    place = (GATEWAYS.group, GATEWAYS.version, objects.namespace, GATEWAYS.plural, "edge")
    status = {"status": {"conditions": [{"type": "Programmed", "status": programmed}]}}
    client.CustomObjectsApi(objects.connection.requests).patch_namespaced_custom_object_status(*place, status)


@pytest.fixture
def endpoint(objects: Objects, tmp_path: Path) -> Iterator[DeployedEndpoint]:
    """Behind a gateway that follows the endpoint's own route."""
    with fake_gateway.answering(objects, HTTP_ROUTES) as url:
        yield fake_gateway.endpoint(objects.namespace, tmp_path, url)


@pytest.fixture
def site(objects: Objects, tmp_path: Path) -> Iterator[DeployedEndpoint]:
    """Behind one that follows somebody's route."""
    with fake_gateway.answering(objects, HTTP_ROUTES, "site") as url:
        endpoint = fake_gateway.endpoint(objects.namespace, tmp_path, url)
        http_route(objects, endpoint, {"name": "edge"})
        yield endpoint


def traffic(objects: Objects, named: str = "") -> GatewayApiTraffic:
    return GatewayApiTraffic(objects.connection, Gateway(f"{objects.namespace}/edge", "", ""), named)


def test_the_endpoints_own_route_is_made_and_moved(objects: Objects, endpoint: DeployedEndpoint) -> None:
    moved = traffic(objects)
    for candidate in (20, 100, 0):
        weights = {"stable": 100 - candidate, "candidate": candidate}
        moved.set_weights(endpoint, weights)
        assert moved.weights(endpoint) == weights


def test_a_route_whose_gateway_is_no_longer_programmed_is_told(
    objects: Objects, endpoint: DeployedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "FOLLOW_S", 1.0)
    program_gateway(objects, "False")
    with pytest.raises(TrafficFailed, match="is not Programmed"):
        traffic(objects).set_weights(endpoint, ALL_STABLE)


def test_an_arm_without_a_service_is_refused(objects: Objects, endpoint: DeployedEndpoint) -> None:
    with pytest.raises(InvalidSpec, match="no Service unknown-stable"):
        traffic(objects).set_weights(replace(endpoint, name="unknown"), ALL_STABLE)


def test_weights_that_somebody_else_sets_meanwhile_are_left(objects: Objects, site: DeployedEndpoint) -> None:
    moved = traffic(objects, NAMED)
    moved.set_weights(site, {"stable": 60, "candidate": 40})
    weights = [{"op": "replace", "path": f"/spec/rules/1/backendRefs/{place}/weight", "value": 50} for place in (0, 1)]
    edited(objects, HTTP_ROUTES, "site", weights)
    with pytest.raises(TrafficFailed, match="somebody has set the weights"):
        moved.set_weights(site, ALL_STABLE)
    now = objects.get(HTTP_ROUTES, "site")
    assert now
    assert [entry["weight"] for entry in now["spec"]["rules"][1]["backendRefs"]] == [50, 50]
