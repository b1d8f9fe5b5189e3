"""Weights in a VirtualService, through a real istiod and a real Envoy; what needs neither is in tests/apiserver."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import edge
import pytest
import tiny_model
from kubernetes import client, dynamic
from routes import NAMED, destination, virtual_service
from seaway.errors import InvalidSpec, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.http import fetch
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.metrics.gateway_stats import GatewayMetrics
from seaway.platforms.kubernetes.traffic import gateway as proof
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, VIRTUAL_SERVICES, IstioTraffic
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint, InferenceRefused


@pytest.fixture(scope="module")
def connection(cluster: dynamic.DynamicClient) -> Iterator[Connection]:
    """One namespace with both arms for the whole file."""
    with edge.behind_istio(cluster) as connection:
        edge.start(connection)
        yield connection


@pytest.fixture
def objects(connection: Connection) -> Iterator[Objects]:
    """Without any route at the end."""
    objects = Objects(connection)
    yield objects
    edge.clear(objects, VIRTUAL_SERVICES, DESTINATION_RULES)


@pytest.fixture
def endpoint(objects: Objects, tmp_path: Path) -> DeployedEndpoint:
    return edge.endpoint(objects.namespace, tmp_path)


def traffic(objects: Objects, admin: str = edge.ADMIN, named: str = "") -> IstioTraffic:
    return IstioTraffic(objects.connection, edge.gateway(objects.namespace, admin), named)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "FOLLOW_S", 3.0)


@pytest.mark.parametrize("admin", [edge.ADMIN, ""], ids=["by its Envoy", "by answers"])
def test_traffic_follows_the_weights_at_once(objects: Objects, endpoint: DeployedEndpoint, admin: str) -> None:
    edge.assert_follows(traffic(objects, admin), endpoint, requests=150)


def test_testers_say_which_arm_they_want(objects: Objects, endpoint: DeployedEndpoint) -> None:
    traffic(objects).set_weights(endpoint, ALL_STABLE)
    assert edge.answering(endpoint, 5, "candidate") == {"candidate": 5}
    with pytest.raises(InferenceRefused, match="no such arm"):
        edge.answering(endpoint, 1, "another")


def test_a_shadow_gets_the_requests_and_answers_nobody(objects: Objects, endpoint: DeployedEndpoint) -> None:
    moved, metrics = traffic(objects), GatewayMetrics(objects.namespace, edge.STATS)
    moved.mirror(endpoint, 100)
    before = metrics.read(endpoint)["candidate"].requests
    assert edge.answering(endpoint, 20) == {"stable": 20}
    deadline = time.monotonic() + 10
    while metrics.read(endpoint)["candidate"].requests < before + 20:
        assert time.monotonic() < deadline
    moved.set_weights(endpoint, ALL_STABLE)
    assert "mirrors" not in str(objects.get(VIRTUAL_SERVICES, endpoint.name))


def test_an_endpoint_of_one_arm_has_no_route_to_another(objects: Objects, endpoint: DeployedEndpoint) -> None:
    alone = replace(endpoint, arms={"stable": endpoint.arms["stable"]})
    traffic(objects).set_weights(endpoint, ALL_STABLE)
    traffic(objects).set_weights(alone, {"stable": 100})
    assert traffic(objects).weights(alone) == {"stable": 100}
    with pytest.raises(InferenceRefused, match="no such arm"):
        edge.answering(alone, 1, "candidate")
    traffic(objects).set_weights(endpoint, {"stable": 0, "candidate": 100})
    assert edge.answering(endpoint, 5) == {"candidate": 5}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("admin", [edge.ADMIN, ""], ids=["by its Envoy", "by answers"])
def test_a_gateway_that_does_not_follow_is_told(objects: Objects, endpoint: DeployedEndpoint, admin: str) -> None:
    astray = IstioTraffic(objects.connection, Gateway(f"{objects.namespace}/nowhere", admin, ""), "")
    with pytest.raises(TrafficFailed, match="does not follow"):
        astray.set_weights(endpoint, ALL_STABLE)


@pytest.mark.parametrize("admin", [edge.ADMIN, ""], ids=["by its Envoy", "by answers"])
def test_somebodys_route_is_moved_at_its_weights_only(objects: Objects, endpoint: DeployedEndpoint, admin: str) -> None:
    before = virtual_service(objects, endpoint)
    moved = traffic(objects, admin, NAMED)
    moved.set_weights(endpoint, {"stable": 60, "candidate": 40})
    assert 0 < edge.answering(endpoint, 60)["candidate"] < 60
    assert moved.weights(endpoint) == {"stable": 60, "candidate": 40}
    moved.set_weights(endpoint, ALL_STABLE)
    assert edge.answering(endpoint, 30) == {"stable": 30}
    after = objects.get(VIRTUAL_SERVICES, "site")
    assert after
    assert after["spec"] == before["spec"]
    assert {key: after["metadata"].get(key) for key in ("labels", "annotations", "ownerReferences")} == {
        key: before["metadata"].get(key) for key in ("labels", "annotations", "ownerReferences")
    }
    moved.remove(endpoint)
    assert objects.get(VIRTUAL_SERVICES, "site")


def test_the_way_back_is_open_when_the_traffic_did_not_follow(
    objects: Objects, endpoint: DeployedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    virtual_service(objects, endpoint)
    moved = traffic(objects, "http://127.0.0.1:1", NAMED)
    with monkeypatch.context() as hasty:
        hasty.setattr(proof, "FOLLOW_S", 1.0)
        with pytest.raises(TrafficFailed, match="does not tell its routes"):
            moved.set_weights(endpoint, {"stable": 60, "candidate": 40})
    moved._gateway = edge.gateway(objects.namespace)
    moved.set_weights(endpoint, ALL_STABLE)
    assert edge.answering(endpoint, 10) == {"stable": 10}


def split(stable: int, candidate: int | None, **part: Any) -> list[dict[str, Any]]:
    weighed = {} if candidate is None else {"weight": candidate}
    arms = destination(edge.NAME, "stable"), destination(edge.NAME, "candidate", **part)
    return [{**arms[0], "weight": stable}, {**arms[1], **weighed}]


GHOST = [{"destination": {"host": "ghost"}}]
UNSERVED = {
    "110 %": ({"route": split(60, 50)}, "add up to 110"),
    "3000 %": ({"route": split(3000, 0)}, "add up to 3000"),
    "no weight": ({"route": split(100, None)}, "without a weight"),
    "unknown subset": ({"route": split(100, 0, subset="v9")}, "subset v9"),
    "unknown host": ({"route": split(100, 0), "mirrors": GHOST}, "no Service ghost"),
    "unknown port": ({"route": split(100, 0, port={"number": 81})}, "has ports"),
}


@pytest.mark.parametrize(("split", "reason"), UNSERVED.values(), ids=UNSERVED)
def test_what_istio_takes_and_never_serves_is_refused(
    objects: Objects, endpoint: DeployedEndpoint, split: dict[str, Any], reason: str
) -> None:
    before = virtual_service(objects, endpoint, **split)  # istiod's own webhook takes it
    with pytest.raises(InvalidSpec, match=reason):
        traffic(objects, named=NAMED).set_weights(endpoint, {"stable": 60, "candidate": 40})
    now = objects.get(VIRTUAL_SERVICES, "site")
    assert now
    assert now["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_the_way_back_to_stable_is_open_when_the_candidate_is_gone(
    objects: Objects, endpoint: DeployedEndpoint
) -> None:
    core = client.CoreV1Api(objects.connection.requests)
    moved = traffic(objects)
    moved.set_weights(endpoint, {"stable": 60, "candidate": 40})
    core.delete_namespaced_service(f"{edge.NAME}-candidate", objects.namespace)
    try:
        moved.set_weights(endpoint, ALL_STABLE)
        assert edge.answering(endpoint, 20) == {"stable": 20}
    finally:
        core.create_namespaced_service(objects.namespace, tiny_model.service("candidate", "v2"))


def test_subsets_of_one_host_are_arms(objects: Objects, endpoint: DeployedEndpoint) -> None:
    host = f"{edge.NAME}-all"
    core = client.CoreV1Api(objects.connection.requests)
    selector = {"seaway.dev/endpoint": edge.NAME}
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    core.create_namespaced_service(
        objects.namespace, {"metadata": {"name": host}, "spec": {"selector": selector, "ports": ports}}
    )
    subsets = [{"name": arm, "labels": {"seaway.dev/version": endpoint.arms[arm].version}} for arm in endpoint.arms]
    rule = {"apiVersion": DESTINATION_RULES.api_version, "kind": "DestinationRule", "metadata": {"name": "arms"},
            "spec": {"host": host, "subsets": subsets}}  # fmt: skip
    objects.create(DESTINATION_RULES, rule)
    route = [{"destination": {"host": host, "subset": arm}, "weight": share} for arm, share in ALL_STABLE.items()]
    virtual_service(objects, endpoint, route=route)
    moved = traffic(objects, named=NAMED)
    moved.set_weights(endpoint, {"stable": 0, "candidate": 100})
    answer = fetch(f"{endpoint.url}{proof.LIVE}", 5.0, {"host": endpoint.host})
    assert proof.answering_arm(endpoint, answer.headers) == "candidate"
    moved.set_weights(endpoint, ALL_STABLE)
