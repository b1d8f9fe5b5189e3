"""manifests/rollouts on a real API server: what raises a candidate's weight, and what does not."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fake_gateway
import pytest
from accounts import as_account
from endpoint_arms import ARMS
from fake_gateway import NAME
from kubernetes import dynamic
from routes import predictor
from seaway.errors import AdmissionRefused
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.naming import ENDPOINT, MANAGED_BY, endpoint_labels
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.install import rbac, rollout_policy
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES
from seaway.platforms.kubernetes.serving.record import Record, Records
from seaway.platforms.kubernetes.traffic.evidence import ROLLOUTS, annotations
from seaway.platforms.kubernetes.traffic.gateway import ARM, Gateway
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES, HttpRoutes
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, VIRTUAL_SERVICES, IstioTraffic, VirtualServices
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS
from seaway.rollout import ALL_STABLE, Warrant
from seaway.serving import DeployedEndpoint

SETTLED_S = 30  # the API server has seen a policy long before
SHA256 = "b" * 64
WARRANT = Warrant('{"payloadType": "application/vnd.in-toto+json"}', "r1", SHA256, 50)
KINDS = (VIRTUAL_SERVICES, HTTP_ROUTES, SELDON_DEPLOYMENTS, INFERENCE_SERVICES)
ROUTES = {  # of VirtualService: what else could lead users to the candidate
    "another route before": [{"route": [{"destination": {"host": f"{NAME}-candidate"}}]}],
    "a host in full": [{"route": [{"destination": {"host": f"{NAME}-candidate.team.svc"}, "weight": 100}]}],
    "a subset": [{"route": [{"destination": {"host": "site", "subset": "candidate"}}]}],
    "for some paths": [
        {"match": [{"uri": {"prefix": "/"}}], "route": [{"destination": {"host": f"{NAME}-candidate"}}]}
    ],
    "for an arm or a path": [
        {
            "match": [{"headers": {ARM: {"exact": "candidate"}}}, {"uri": {"prefix": "/"}}],
            "route": [{"destination": {"host": f"{NAME}-candidate"}}],
        }
    ],
    "a delegate": [{"match": [{"uri": {"prefix": "/"}}], "delegate": {"name": "other"}}],
}


@pytest.fixture(scope="module")
def policies(cluster: dynamic.DynamicClient, serve: Callable[..., None]) -> Iterator[None]:
    """The shipped ones; gone afterwards, since other tests move weights by hand."""
    serve(*KINDS, DESTINATION_RULES)
    made = []
    for manifest in rollout_policy.objects():
        kind = cluster.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
        kind.create(body=manifest)
        made.append((kind, manifest["metadata"]["name"]))
    await_policies(in_force=True)
    yield
    for kind, name in made:
        kind.delete(name=name)
    await_policies(in_force=False)


def await_policies(*, in_force: bool) -> None:
    """The API server takes a policy up, and forgets it, a little later than it was told."""
    deadline = time.monotonic() + SETTLED_S
    while any(refuses(resource) != in_force for resource in KINDS):
        assert time.monotonic() < deadline, f"the policies are {'not' if in_force else 'still'} in force"
        time.sleep(0.2)


def refuses(resource: Resource) -> bool:
    nobody = DeployedEndpoint(NAME, "r1", Path(), arms=ALL_STABLE, host="tiny.test")
    manifest = seldon(50) if resource == SELDON_DEPLOYMENTS else built(resource, nobody, 50)
    try:
        Objects(replace(connect(), namespace="default")).create(resource, manifest, dry_run=True)
    except AdmissionRefused:
        return True
    return False


def seldon(weight: int) -> dict[str, Any]:
    predictors = [predictor(NAME, arm, share) for arm, share in (("stable", 100 - weight), ("candidate", weight))]
    metadata = {"name": NAME, "labels": endpoint_labels(NAME)}
    head = {"apiVersion": SELDON_DEPLOYMENTS.api_version, "kind": SELDON_DEPLOYMENTS.kind, "metadata": metadata}
    return {**head, "spec": {"name": NAME, "protocol": "v2", "predictors": predictors}}


@pytest.fixture
def endpoint(connection: Connection, tmp_path: Path) -> DeployedEndpoint:
    """Its record, as a deployment leaves it, and its Services."""
    fake_gateway.services(Objects(connection))
    arms = {**ARMS, "candidate": replace(ARMS["candidate"], sha256=SHA256)}
    Records(Objects(connection)).create(Record(NAME, "r1", "deployment", arms, 0.0))
    return fake_gateway.endpoint(connection.namespace, tmp_path, "http://127.0.0.1:1")


def built(resource: Resource, endpoint: DeployedEndpoint, weight: int) -> dict[str, Any]:
    """A route of ours."""
    weights = {"stable": 100 - weight, "candidate": weight}
    if resource == INFERENCE_SERVICES:
        metadata = {"name": named(resource), "labels": endpoint_labels(NAME)}
        head = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        return {**head, "spec": {"predictor": {"canaryTrafficPercent": weight}}}
    kind = VirtualServices() if resource == VIRTUAL_SERVICES else HttpRoutes()
    return kind.build(endpoint, weights, "1", Gateway("team/edge", "", ""))


def made(resource: Resource, objects: Objects, endpoint: DeployedEndpoint) -> dict[str, Any]:
    """The route, all on stable."""
    return objects.create(resource, seldon(0) if resource == SELDON_DEPLOYMENTS else built(resource, endpoint, 0))


def move(resource: Resource, objects: Objects, endpoint: DeployedEndpoint, weight: int) -> None:
    """Set the candidate's weight, and nothing else."""
    found = objects.get(resource, named(resource))
    assert found
    wanted = seldon(weight) if resource == SELDON_DEPLOYMENTS else built(resource, endpoint, weight)
    operations = [{"op": "replace", "path": "/spec", "value": wanted["spec"]}]
    objects.patch(resource, found, operations)


def present(resource: Resource, objects: Objects, warrant: Warrant) -> None:
    found = objects.get(resource, named(resource))
    assert found
    value = {**found["metadata"].get("annotations", {}), **annotations(warrant)}
    objects.patch(resource, found, [{"op": "add", "path": "/metadata/annotations", "value": value}])


def named(resource: Resource) -> str:
    return f"{NAME}-b" if resource == INFERENCE_SERVICES else NAME


@pytest.fixture
def driver(policies: None, connection: Connection) -> Objects:
    return Objects(as_account(connection, rbac.RULES))


@pytest.fixture
def editor(policies: None, connection: Connection) -> Objects:
    """May write all that a driver may, and drives nothing."""
    return Objects(as_account(connection, rbac.without(ROLLOUTS, "drive")))


@pytest.mark.parametrize("resource", KINDS, ids=[kind.kind for kind in KINDS])
def test_a_candidate_gets_what_a_statement_about_it_allows(
    resource: Resource, driver: Objects, connection: Connection, endpoint: DeployedEndpoint
) -> None:
    made(resource, Objects(connection), endpoint)
    with pytest.raises(AdmissionRefused, match="No signed statement allows 10 %"):
        move(resource, driver, endpoint, 10)
    for warrant, why in (
        (replace(WARRANT, candidate="c" * 64), f"about package {'c' * 64} in run r1; endpoint {NAME} has"),
        (replace(WARRANT, run="r0"), "in run r0"),
        (replace(WARRANT, allows=5), "allows 5 %, not 10 %"),
        (replace(WARRANT, envelope="{}"), "No signed statement"),
    ):
        present(resource, driver, warrant)
        with pytest.raises(AdmissionRefused, match=why):
            move(resource, driver, endpoint, 10)
    present(resource, driver, WARRANT)
    move(resource, driver, endpoint, 10)
    move(resource, driver, endpoint, 50)
    with pytest.raises(AdmissionRefused, match="allows 50 %, not 60 %"):
        move(resource, driver, endpoint, 60)
    present(resource, driver, replace(WARRANT, allows=100))
    move(resource, driver, endpoint, 100)


@pytest.mark.parametrize("resource", KINDS, ids=[kind.kind for kind in KINDS])
def test_who_does_not_drive_rollouts_may_only_lower_a_weight(
    resource: Resource, editor: Objects, connection: Connection, endpoint: DeployedEndpoint
) -> None:
    admin = Objects(connection)
    made(resource, admin, endpoint)
    with pytest.raises(AdmissionRefused, match="Only who drives rollouts"):
        present(resource, editor, WARRANT)
    present(resource, admin, WARRANT)
    move(resource, admin, endpoint, 40)
    with pytest.raises(AdmissionRefused, match="Only who drives rollouts"):
        move(resource, editor, endpoint, 50)
    with pytest.raises(AdmissionRefused, match="Only who drives rollouts"):
        unlabelled(resource, editor)
    move(resource, editor, endpoint, 40)
    move(resource, editor, endpoint, 0)


def unlabelled(resource: Resource, objects: Objects) -> None:
    found = objects.get(resource, named(resource))
    assert found
    labels = {key: value for key, value in found["metadata"]["labels"].items() if key not in (MANAGED_BY, ENDPOINT)}
    objects.patch(resource, found, [{"op": "replace", "path": "/metadata/labels", "value": labels}])


@pytest.mark.parametrize("routes", ROUTES.values(), ids=ROUTES)
def test_no_other_part_of_a_route_leads_to_the_candidate(
    routes: list[dict[str, Any]], driver: Objects, connection: Connection, endpoint: DeployedEndpoint
) -> None:
    found = made(VIRTUAL_SERVICES, Objects(connection), endpoint)
    present(VIRTUAL_SERVICES, driver, WARRANT)
    found = driver.get(VIRTUAL_SERVICES, NAME) or found
    added = [{"op": "replace", "path": "/spec/http", "value": [*routes, *found["spec"]["http"]]}]
    with pytest.raises(AdmissionRefused, match="allows 50 %, not 100 %"):
        driver.patch(VIRTUAL_SERVICES, found, added)


def test_a_route_that_is_made_with_a_weight_is_asked_as_well(driver: Objects, endpoint: DeployedEndpoint) -> None:
    for resource in (VIRTUAL_SERVICES, HTTP_ROUTES):
        manifest = built(resource, endpoint, 10)
        with pytest.raises(AdmissionRefused, match="No signed statement"):
            driver.create(resource, manifest)
        metadata = manifest["metadata"]
        metadata["annotations"] |= annotations(WARRANT)
        driver.create(resource, manifest)


def test_routes_of_others_are_left_alone(driver: Objects, endpoint: DeployedEndpoint) -> None:
    manifest = built(VIRTUAL_SERVICES, endpoint, 50)
    manifest["metadata"] |= {"name": "site", "labels": {MANAGED_BY: "git", ENDPOINT: NAME}}
    driver.create(VIRTUAL_SERVICES, manifest)


def test_without_a_record_a_statement_is_still_needed_and_the_way_back_is_open(
    driver: Objects, connection: Connection, tmp_path: Path
) -> None:
    fake_gateway.services(Objects(connection))
    unknown = fake_gateway.endpoint(connection.namespace, tmp_path, "http://127.0.0.1:1")
    made(VIRTUAL_SERVICES, Objects(connection), unknown)
    with pytest.raises(AdmissionRefused, match="No signed statement"):
        move(VIRTUAL_SERVICES, driver, unknown, 10)
    present(VIRTUAL_SERVICES, driver, WARRANT)
    move(VIRTUAL_SERVICES, driver, unknown, 10)
    move(VIRTUAL_SERVICES, driver, unknown, 0)


def test_the_adapter_shows_a_statement_and_reads_it_back(
    driver: Objects, connection: Connection, endpoint: DeployedEndpoint
) -> None:
    made(VIRTUAL_SERVICES, Objects(connection), endpoint)
    traffic = IstioTraffic(driver.connection, Gateway("team/edge", "", ""), "")
    assert traffic.presented(endpoint) is None
    traffic.present(endpoint, WARRANT)
    assert traffic.presented(endpoint) == WARRANT
    traffic._write(endpoint, {"stable": 60, "candidate": 40}, "2")
    assert traffic.presented(endpoint) == WARRANT
