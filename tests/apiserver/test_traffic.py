"""Weights in a VirtualService: written as read, and never over somebody else's."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_gateway
import pytest
from fake_gateway import NAME
from routes import NAMED, NEWS, edited, virtual_service
from seaway.errors import InvalidSpec, NameTaken, ObjectChanged, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, Resource
from seaway.platforms.kubernetes.traffic.gateway import MARK, Gateway
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, VIRTUAL_SERVICES, IstioTraffic
from seaway.platforms.kubernetes.traffic.rollout_state import ConfigMapRolloutStore
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint


@pytest.fixture
def objects(serve: Callable[..., None], connection: Connection) -> Objects:
    serve(VIRTUAL_SERVICES, DESTINATION_RULES)
    fake_gateway.services(Objects(connection))
    return Objects(connection)


@pytest.fixture
def endpoint(objects: Objects, tmp_path: Path) -> Iterator[DeployedEndpoint]:
    """Behind a gateway that follows the endpoint's own route."""
    with fake_gateway.answering(objects, VIRTUAL_SERVICES) as url:
        yield fake_gateway.endpoint(objects.namespace, tmp_path, url)


@pytest.fixture
def site(objects: Objects, tmp_path: Path) -> Iterator[DeployedEndpoint]:
    """Behind one that follows somebody's route."""
    with fake_gateway.answering(objects, VIRTUAL_SERVICES, "site") as url:
        yield fake_gateway.endpoint(objects.namespace, tmp_path, url)


def traffic(objects: Objects, named: str = "") -> IstioTraffic:
    return IstioTraffic(objects.connection, Gateway(f"{objects.namespace}/edge", "", ""), named)


def test_the_endpoints_own_route_is_made_moved_removed_and_made_anew(
    objects: Objects, endpoint: DeployedEndpoint
) -> None:
    moved, marks = traffic(objects), set()
    for candidate in (20, 100, 0):
        weights = {"stable": 100 - candidate, "candidate": candidate}
        moved.set_weights(endpoint, weights)
        assert traffic(objects).weights(endpoint) == weights
        route = objects.get(VIRTUAL_SERVICES, NAME)
        assert route
        marks.add(route["metadata"]["annotations"][MARK])
    assert len(marks) == 3
    removed = objects.get(VIRTUAL_SERVICES, NAME)
    moved.remove(endpoint)
    moved.set_weights(endpoint, ALL_STABLE)  # waits until the other is gone
    made = objects.get(VIRTUAL_SERVICES, NAME)
    assert removed
    assert made
    assert made["metadata"]["uid"] != removed["metadata"]["uid"]


def test_a_route_that_is_edited_while_it_is_written_is_read_again(
    objects: Objects, endpoint: DeployedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = traffic(objects)
    moved.set_weights(endpoint, ALL_STABLE)
    said = {"op": "add", "path": "/metadata/annotations/said", "value": "by somebody"}
    overtaken_once(monkeypatch, lambda: edited(objects, VIRTUAL_SERVICES, NAME, [said]))
    moved.set_weights(endpoint, {"stable": 60, "candidate": 40})
    now = objects.get(VIRTUAL_SERVICES, NAME)
    assert now
    assert now["metadata"]["annotations"]["said"] == "by somebody"
    assert moved.weights(endpoint) == {"stable": 60, "candidate": 40}


def overtaken_once(monkeypatch: pytest.MonkeyPatch, edit: Callable[[], None]) -> list[ObjectChanged]:
    """Somebody edits between our look and our patch; what our patch is answered."""
    refused: list[ObjectChanged] = []
    unpatched = Objects.patch

    def patch(self: Objects, resource: Resource, found: Any, operations: Any) -> dict[str, Any]:
        if not refused:
            edit()
        try:
            return unpatched(self, resource, found, operations)
        except ObjectChanged as error:
            refused.append(error)
            raise

    monkeypatch.setattr(Objects, "patch", patch)
    return refused


def test_a_route_is_owned_by_the_endpoints_record(objects: Objects, endpoint: DeployedEndpoint) -> None:
    record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{NAME}-endpoint"}}
    uid = objects.create(CONFIG_MAPS, record)["metadata"]["uid"]
    traffic(objects).set_weights(endpoint, ALL_STABLE)
    route = objects.get(VIRTUAL_SERVICES, NAME)
    assert route
    assert [owner["uid"] for owner in route["metadata"]["ownerReferences"]] == [uid]


def test_an_arm_without_a_service_is_refused_before_anything_is_written(
    objects: Objects, endpoint: DeployedEndpoint
) -> None:
    arms = endpoint.arms
    unknown = replace(endpoint, name="unknown", arms=arms)
    with pytest.raises(InvalidSpec, match="no Service unknown-stable"):
        traffic(objects).set_weights(unknown, ALL_STABLE)
    assert objects.list(VIRTUAL_SERVICES).items == []


def test_a_change_of_another_route_at_the_same_moment_is_kept(
    objects: Objects, site: DeployedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    virtual_service(objects, site)
    added = {"op": "add", "path": "/spec/http/0", "value": NEWS}
    refused = overtaken_once(monkeypatch, lambda: edited(objects, VIRTUAL_SERVICES, "site", [added]))
    traffic(objects, NAMED).set_weights(site, {"stable": 60, "candidate": 40})
    assert len(refused) == 1
    now = objects.get(VIRTUAL_SERVICES, "site")
    assert now
    assert [route["name"] for route in now["spec"]["http"]] == ["news", "docs", "models"]
    assert [entry["weight"] for entry in now["spec"]["http"][2]["route"]] == [60, 40]


def test_weights_that_somebody_else_sets_meanwhile_are_left(objects: Objects, site: DeployedEndpoint) -> None:
    virtual_service(objects, site)
    moved = traffic(objects, NAMED)
    moved.set_weights(site, {"stable": 60, "candidate": 40})
    weights = [{"op": "replace", "path": f"/spec/http/1/route/{place}/weight", "value": 50} for place in (0, 1)]
    edited(objects, VIRTUAL_SERVICES, "site", weights)
    with pytest.raises(TrafficFailed, match="somebody has set the weights"):
        moved.set_weights(site, ALL_STABLE)
    now = objects.get(VIRTUAL_SERVICES, "site")
    assert now
    assert [entry["weight"] for entry in now["spec"]["http"][1]["route"]] == [50, 50]


def test_a_rollout_that_is_started_again_takes_the_weights_that_it_finds_for_its_own(
    objects: Objects, site: DeployedEndpoint
) -> None:
    """Its process has forgotten what it set; from there on nobody else may set them."""
    virtual_service(objects, site)
    traffic(objects, NAMED).set_weights(site, {"stable": 60, "candidate": 40})
    again = traffic(objects, NAMED)
    again.set_weights(site, {"stable": 0, "candidate": 100})
    assert again.weights(site) == {"stable": 0, "candidate": 100}


def test_a_route_of_somebody_else_that_was_not_named_is_left(objects: Objects, endpoint: DeployedEndpoint) -> None:
    before = virtual_service(objects, endpoint, name=NAME)
    with pytest.raises(NameTaken, match="SEAWAY_ROUTE=virtualservice"):
        traffic(objects).set_weights(endpoint, ALL_STABLE)
    traffic(objects).remove(endpoint)
    now = objects.get(VIRTUAL_SERVICES, NAME)
    assert now
    assert now["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


@pytest.mark.parametrize("marks", [{"app.kubernetes.io/managed-by": "seaway"}, {"seaway.dev/endpoint": NAME}])
def test_a_route_with_half_our_marks_is_somebody_elses(
    objects: Objects, endpoint: DeployedEndpoint, marks: dict[str, str]
) -> None:
    virtual_service(objects, endpoint, name=NAME)
    edited(objects, VIRTUAL_SERVICES, NAME, [{"op": "add", "path": "/metadata/labels", "value": marks}])
    with pytest.raises(NameTaken, match="belongs to somebody else"):
        traffic(objects).set_weights(endpoint, ALL_STABLE)
    traffic(objects).remove(endpoint)
    route = objects.get(VIRTUAL_SERVICES, NAME)
    assert route
    assert "deletionTimestamp" not in route["metadata"]


def test_weights_that_the_traffic_does_not_follow_are_not_told(objects: Objects, endpoint: DeployedEndpoint) -> None:
    traffic(objects).set_weights(endpoint, ALL_STABLE)
    mark = {"op": "replace", "path": f"/metadata/annotations/{MARK}", "value": "another"}
    edited(objects, VIRTUAL_SERVICES, NAME, [mark])
    with pytest.raises(TrafficFailed, match="does not follow the route"):
        traffic(objects).weights(endpoint)


def test_a_journal_is_read_by_the_next_process_and_written_by_one(objects: Objects, endpoint: DeployedEndpoint) -> None:
    first, second = ConfigMapRolloutStore(objects.connection), ConfigMapRolloutStore(objects.connection)
    assert first.read(endpoint) is None
    journal = {"looks": [{"latencies_s": [0.001 * number for number in range(9_000)]}]}
    first.write(endpoint, journal)
    assert second.read(endpoint) == journal
    second.write(endpoint, {"step": 2})
    with pytest.raises(ObjectChanged, match="Another process drives"):
        first.write(endpoint, {"step": 1})
    assert second.read(endpoint) == {"step": 2}


def test_a_journal_that_was_there_before_is_never_overwritten_unread(
    objects: Objects, endpoint: DeployedEndpoint
) -> None:
    ConfigMapRolloutStore(objects.connection).write(endpoint, {"step": 2})
    with pytest.raises(ObjectChanged, match="Another process drives"):
        ConfigMapRolloutStore(objects.connection).write(endpoint, {"step": 1})
    assert ConfigMapRolloutStore(objects.connection).read(endpoint) == {"step": 2}


def test_a_history_outlives_its_endpoint_and_loses_nothing_to_another_writer(
    objects: Objects, endpoint: DeployedEndpoint
) -> None:
    store = ConfigMapRolloutStore(objects.connection)
    assert store.history(NAME) is None
    store.remember(NAME, lambda kept: {"releases": [kept]})
    overtaken = []

    def change(kept: dict[str, Any] | None) -> dict[str, Any]:
        if not overtaken:
            overtaken.append(kept)
            ConfigMapRolloutStore(objects.connection).remember(NAME, lambda now: {**(now or {}), "other": 1})
        return {**(kept or {}), "mine": 1}

    store.remember(NAME, change)
    assert store.history(NAME) == {"releases": [None], "other": 1, "mine": 1}
    kept = objects.get(CONFIG_MAPS, f"{NAME}-rollout-history")
    assert kept is not None
    assert "ownerReferences" not in kept["metadata"]
    store.write(endpoint, {"step": 2})
    assert store.history(NAME) == {"releases": [None], "other": 1, "mine": 1}
