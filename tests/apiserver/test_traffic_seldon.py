"""Weights of a SeldonDeployment: patched as read, and never over somebody else's."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fake_gateway
import fake_seldon_operator as seldon_operator
import pytest
from fake_gateway import NAME
from fake_workloads import quota
from routes import edited, seldon_deployment
from seaway.errors import InvalidSpec, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.traffic import gateway
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.seldon import SeldonTraffic
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS, lacking_pods
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint

SCALED = {"op": "add", "path": "/spec/predictors/1/componentSpecs/0/replicas", "value": 2}


@pytest.fixture
def objects(serve: Callable[..., None], connection: Connection) -> Objects:
    serve(*seldon_operator.KINDS)
    return Objects(connection)


@pytest.fixture
def endpoint(objects: Objects, tmp_path: Path) -> Iterator[DeployedEndpoint]:
    """Behind a gateway that follows what Seldon's operator writes."""
    with seldon_operator.at_work(objects) as at_work:
        url = f"{at_work.istio.url}/seldon/{objects.namespace}/{NAME}"
        yield fake_gateway.endpoint(objects.namespace, tmp_path, url)


def traffic(objects: Objects) -> SeldonTraffic:
    return SeldonTraffic(objects.connection, Gateway(f"{objects.namespace}/edge", "", ""), "")


def predictors(objects: Objects) -> list[tuple[int, bool]]:
    """Traffic of each, and whether it is a shadow."""
    found = objects.get(SELDON_DEPLOYMENTS, NAME)
    assert found
    return [(one["traffic"], one.get("shadow", False)) for one in found["spec"]["predictors"]]


def test_predictors_get_the_traffic_and_nothing_else_is_changed(objects: Objects, endpoint: DeployedEndpoint) -> None:
    before, moved = seldon_deployment(objects, NAME, **ALL_STABLE), traffic(objects)
    for candidate in (50, 100, 0):
        moved.set_weights(endpoint, {"stable": 100 - candidate, "candidate": candidate})
        assert predictors(objects) == [(100 - candidate, False), (candidate, False)]
    after = objects.get(SELDON_DEPLOYMENTS, NAME)
    assert after
    assert after["spec"] == before["spec"]


def test_a_predictor_is_a_shadow_until_it_gets_traffic(objects: Objects, endpoint: DeployedEndpoint) -> None:
    seldon_deployment(objects, NAME, **ALL_STABLE)
    moved = traffic(objects)
    moved.mirror(endpoint, 30)
    assert predictors(objects) == [(100, False), (30, True)]
    moved.set_weights(endpoint, {"stable": 50, "candidate": 50})
    assert predictors(objects) == [(50, False), (50, False)]


def test_weights_that_somebody_else_sets_meanwhile_are_left(objects: Objects, endpoint: DeployedEndpoint) -> None:
    seldon_deployment(objects, NAME, **ALL_STABLE)
    moved = traffic(objects)
    moved.set_weights(endpoint, {"stable": 60, "candidate": 40})
    weights = [{"op": "replace", "path": f"/spec/predictors/{place}/traffic", "value": 50} for place in (0, 1)]
    edited(objects, SELDON_DEPLOYMENTS, NAME, weights)
    with pytest.raises(TrafficFailed, match="somebody has set the weights"):
        moved.set_weights(endpoint, ALL_STABLE)
    assert predictors(objects) == [(50, False), (50, False)]


def test_what_does_not_add_up_or_is_no_arm_is_refused(objects: Objects, tmp_path: Path) -> None:
    endpoint = fake_gateway.endpoint(objects.namespace, tmp_path, "http://127.0.0.1:1")
    seldon_deployment(objects, NAME, stable=80, candidate=30)
    with pytest.raises(InvalidSpec, match="110"):
        traffic(objects).set_weights(endpoint, {"stable": 60, "candidate": 40})
    with pytest.raises(TrafficFailed, match="needs one called as each of its arms"):
        traffic(objects).set_weights(replace(endpoint, arms={"stable": endpoint.arms["stable"]}), {"stable": 100})


def test_a_candidate_of_somebody_else_is_never_taken_out(
    objects: Objects, endpoint: DeployedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner is told whose pods are missing."""
    seldon_deployment(objects, NAME, **ALL_STABLE)
    moved = traffic(objects)
    moved.set_weights(endpoint, {"stable": 50, "candidate": 50})
    quota(objects, pods="2")  # so a third never comes
    edited(objects, SELDON_DEPLOYMENTS, NAME, [SCALED])
    while not lacking_pods({"metadata": {"name": NAME}}, objects, "candidate"):
        time.sleep(0.05)
    monkeypatch.setattr(gateway, "FOLLOW_S", 1.0)
    with pytest.raises(TrafficFailed, match="tiny-candidate-0-server has"):
        moved.set_weights(endpoint, ALL_STABLE)
    assert predictors(objects) == [(100, False), (0, False)]


def test_a_deployment_that_is_not_there_is_not_made(objects: Objects, endpoint: DeployedEndpoint) -> None:
    with pytest.raises(TrafficFailed, match="does not exist"):
        traffic(objects).set_weights(endpoint, ALL_STABLE)
