"""An endpoint's record and objects: whose they are, who may change them, and what is left alone."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from endpoint_arms import ARMS, WEIGHTS
from kubernetes import client
from routes import edited
from seaway.errors import EndpointFailed, InvalidSpec, NameTaken, ObjectChanged, PackageRefused
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.naming import endpoint_labels
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, DEPLOYMENTS, SERVICES
from seaway.platforms.kubernetes.jobs.wait import Patience
from seaway.platforms.kubernetes.serving import deployment, seldon, server_pod
from seaway.platforms.kubernetes.serving.deployment import Deployments
from seaway.platforms.kubernetes.serving.reconciler import SECRETS, Reconciler
from seaway.platforms.kubernetes.serving.record import GIT, Record, Records, config_map
from seaway.serving import EndpointSpec
from small_package import small_package

HOSTING = {"image": "any"}
RECORD = Record("small", "run-1", "deployment", ARMS, 0.0, standing=True)
ALONE = replace(RECORD, arms={"stable": ARMS["stable"]})


@pytest.fixture(autouse=True)
def environment(namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_NAMESPACE", namespace)
    monkeypatch.setenv("SEAWAY_STORAGE", (tmp_path / "storage").as_uri())
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))


@pytest.fixture
def objects(connection: Connection) -> Objects:
    return Objects(connection)


def spec(name: str, run: str, package: Path) -> EndpointSpec:
    return EndpointSpec(name, run, package, hosting=HOSTING)


def reconciler(objects: Objects, found: dict[str, Any]) -> Reconciler:
    return Reconciler(objects, Deployments(), Patience(cleanup_s=60), found)


def test_the_secret_that_an_endpoint_tells_holds_its_token(connection: Connection, objects: Objects) -> None:
    Records(objects).create(ALONE)
    endpoints = deployment.endpoint()
    [told] = endpoints.list()
    token = endpoints.with_token(told).token()
    namespace, _, name = told.secret.partition("/")
    kept = client.CoreV1Api(connection.requests).read_namespaced_secret(name, namespace).data[told.name]
    assert base64.b64decode(kept).decode() == token
    assert endpoints.with_token(told).to_json()["secret"] == f"{connection.namespace}/{name}"


def test_an_object_of_somebody_else_is_left_as_it_is(connection: Connection, objects: Objects, tmp_path: Path) -> None:
    core = client.CoreV1Api(connection.requests)
    core.create_namespaced_config_map(
        connection.namespace, {"metadata": {"name": "taken-endpoint"}, "data": {"theirs": "yes"}}
    )
    with pytest.raises(NameTaken, match="taken-endpoint"):
        deployment.endpoint().deploy(spec("taken", "run-1", tmp_path))
    found = objects.get(CONFIG_MAPS, "taken-endpoint")
    assert found
    assert found["data"] == {"theirs": "yes"}


@pytest.mark.parametrize("marks", [{"app.kubernetes.io/managed-by": "seaway"}, {server_pod.ENDPOINT: "small"}])
def test_half_the_marks_of_an_endpoint_are_none(objects: Objects, marks: dict[str, str]) -> None:
    metadata = {"name": config_map("small"), "labels": marks}
    objects.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    with pytest.raises(NameTaken, match="left as it is"):
        Records(objects).find("small")


def test_an_endpoint_of_git_is_changed_by_no_step(objects: Objects, tmp_path: Path) -> None:
    marks = {**endpoint_labels("small"), "app.kubernetes.io/managed-by": GIT}
    metadata = {"name": config_map("small"), "labels": marks}
    objects.create(CONFIG_MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": RECORD.data()})
    with pytest.raises(NameTaken, match="is git's"):
        deployment.endpoint().deploy(spec("small", "run-1", tmp_path))
    with pytest.raises(NameTaken, match="is git's"):
        deployment.endpoint().delete("small")


def test_a_package_of_another_signer_is_refused_before_anything_is_made(objects: Objects, tmp_path: Path) -> None:
    foreign = small_package(tmp_path, tmp_path / "somebody-else")
    with pytest.raises(PackageRefused):
        deployment.endpoint().deploy(spec("foreign", "run-1", foreign))
    assert objects.get(CONFIG_MAPS, "foreign-endpoint") is None


def test_an_endpoint_keeps_its_backend(objects: Objects, tmp_path: Path) -> None:
    Records(objects).create(ALONE)
    with pytest.raises(InvalidSpec, match="served by deployment"):
        seldon.endpoint().deploy(spec("small", "run-5", tmp_path))


def test_the_candidate_of_another_run_is_not_driven_out(objects: Objects, tmp_path: Path) -> None:
    before = Records(objects).create(RECORD)
    with pytest.raises(NameTaken, match="Run run-1 is rolling out version"):
        deployment.endpoint().deploy(spec("small", "run-2", tmp_path))
    assert Records(objects).find("small") == before


@pytest.mark.parametrize("call", ["promote", "roll_back"])
def test_only_the_run_in_charge_moves_its_models(objects: Objects, call: str) -> None:
    before = Records(objects).create(RECORD)
    with pytest.raises(EndpointFailed, match="no endpoint small of run run-2"):
        getattr(deployment.endpoint(), call)("small", "run-2")
    deployment.endpoint().remove("small", "run-2")
    assert Records(objects).find("small") == before


def test_a_record_is_written_over_what_was_read_only(objects: Objects) -> None:
    records = Records(objects)
    read = records.create(RECORD)
    edited(objects, CONFIG_MAPS, config_map("small"), [{"op": "add", "path": "/metadata/annotations", "value": {}}])
    records.write(read, RECORD)  # says what is there
    edited(objects, CONFIG_MAPS, config_map("small"), [{"op": "add", "path": "/data/theirs", "value": "yes"}])
    with pytest.raises(ObjectChanged, match="changed by somebody else"):
        records.write(read, ALONE)
    found = records.find("small")
    assert found
    assert found["data"]["theirs"] == "yes"


def test_an_object_that_the_endpoint_needs_and_somebody_has_is_left(objects: Objects) -> None:
    found = Records(objects).create(RECORD)
    [wanted, *_] = Deployments().objects("small", ALONE.arms, WEIGHTS)
    theirs = objects.create(DEPLOYMENTS, wanted)
    with pytest.raises(NameTaken, match="belongs to somebody else"):
        reconciler(objects, found).apply(Deployments().objects("small", ALONE.arms, WEIGHTS), "small")
    now = objects.get(DEPLOYMENTS, wanted["metadata"]["name"])
    assert now
    assert now["metadata"]["resourceVersion"] == theirs["metadata"]["resourceVersion"]


def test_what_has_our_labels_and_not_our_record_is_not_pruned(objects: Objects) -> None:
    """A controller gives the objects that it makes the labels of what they are made for."""
    found = Records(objects).create(RECORD)
    metadata = {"name": "its-own", "labels": endpoint_labels("small")}
    its_own = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 80}]}}
    objects.create(SERVICES, its_own)
    reconciler(objects, found).prune(RECORD, WEIGHTS)
    left = objects.get(SERVICES, "its-own")
    assert left
    assert "deletionTimestamp" not in left["metadata"]


def test_a_token_is_made_once_and_beside_those_of_other_endpoints(objects: Objects) -> None:
    found = Records(objects).create(RECORD)
    first, second = (reconciler(objects, found).token(name) for name in ("small", "other"))
    assert first != second
    assert [reconciler(objects, found).token(name) for name in ("small", "other")] == [first, second]


def test_a_secret_of_somebody_else_gets_no_token(objects: Objects) -> None:
    found = Records(objects).create(RECORD)
    objects.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": server_pod.SECRET}})
    with pytest.raises(NameTaken, match="belongs to somebody else"):
        reconciler(objects, found).token("small")
