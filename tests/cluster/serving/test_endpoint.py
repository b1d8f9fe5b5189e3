"""Model servers in a real cluster: brought up, promoted and rolled back under load, refused, and cleaned up after."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import endpoints
import pytest
from endpoints import STARTUP_S, forwarded, load
from kubernetes import dynamic
from namespaces import made_namespace
from object_store_pod import BUCKET, StoreInCluster, object_store
from seaway.errors import EndpointFailed, NameTaken, PackageRefused
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, DEPLOYMENTS, PODS, SERVICES
from seaway.platforms.kubernetes.jobs.wait import Patience
from seaway.platforms.kubernetes.serving import deployment
from seaway.serving import Client, EndpointSpec, GrpcClient
from seaway.serving.feature_log import read_log
from seaway.storage import storage_for
from small_package import SIGNATURE, small_package

import images

pytestmark = pytest.mark.timeout(900)
NAME = "small"
SERVED = f"s3://{BUCKET}/served"


@pytest.fixture(scope="module")
def place(cluster: dynamic.DynamicClient) -> Iterator[str]:
    with made_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def store(cluster: dynamic.DynamicClient, place: str) -> Iterator[StoreInCluster]:
    with object_store(cluster.client, place) as store:
        yield store


@pytest.fixture(scope="module")
def server_image(cluster: dynamic.DynamicClient) -> str:
    return images.server_image()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def packages(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    return {name: small_package(folder / name, home, seed) for seed, name in enumerate(("first", "second", "third"))}


@pytest.fixture(autouse=True)
def environment(store: StoreInCluster, home: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in endpoints.environment(store, home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SEAWAY_NAMESPACE", place)


@pytest.fixture
def connection(place: str) -> Connection:
    return replace(connect(), namespace=place)


@pytest.fixture
def objects(connection: Connection) -> Objects:
    return Objects(connection)


def spec(
    packages: dict[str, Path], hosting: dict[str, Any], run: str, stable: str, candidate: str = ""
) -> EndpointSpec:
    other = packages[candidate] if candidate else None
    return EndpointSpec(NAME, run, packages[stable], other, startup_timeout_s=STARTUP_S, hosting=hosting)


def pods_of(objects: Objects, version: str) -> set[str]:
    found = objects.list(PODS, {"labelSelector": f"seaway.dev/version={version}"}).items
    return {pod["metadata"]["uid"] for pod in found}


def test_models_are_rolled_back_and_promoted_without_a_lost_request(
    packages: dict[str, Path], store: StoreInCluster, server_image: str, place: str, objects: Objects
) -> None:
    hosting = endpoints.hosting(server_image, store, served=SERVED)
    adapter = deployment.endpoint()
    first = adapter.deploy(spec(packages, hosting, "run-1", "first"))
    old = first.arms["stable"].version
    serving = pods_of(objects, old)
    scaled = {**hosting, "autoscale": {"max_replicas": 2}}
    with load(place, server_image, first.url, first.token(), NAME) as during:
        second = adapter.deploy(spec(packages, scaled, "run-2", "first", "second"))
        new = second.arms["candidate"].version
        assert pods_of(objects, old) == serving, "the model that served was touched"
        with pytest.raises(NameTaken, match="run-2"):
            adapter.deploy(spec(packages, hosting, "run-3", "first", "third"))
        check_by_both_protocols(place, f"svc/{NAME}-candidate", second.token(), new)
        adapter.roll_back(NAME, "run-2")
        assert not pods_of(objects, new)
        assert_logged(new)
        adapter.deploy(spec(packages, scaled, "run-3", "first", "second"))
        promote_although_the_first_try_is_killed("run-3")
        check_by_both_protocols(place, f"svc/{NAME}-stable", second.token(), new)
    assert during.failures == []
    assert during.versions.keys() == {old, new}
    assert sum(during.versions.values()) > 300
    assert not pods_of(objects, old)
    assert {one["metadata"]["name"] for one in objects.list(DEPLOYMENTS).items} == {f"{NAME}-{new}"}
    left_by_steps, token = Path(os.environ["SEAWAY_HOME"]) / "kubernetes", second.token()
    shutil.rmtree(left_by_steps)
    [left] = adapter.list()
    assert not left_by_steps.exists(), "a list has written tokens"
    assert adapter.with_token(left).token() == token
    assert (left.run, {arm: one.version for arm, one in left.arms.items()}) == ("run-3", {"stable": new})
    adapter.remove(NAME, "run-3")
    assert pods_of(objects, new), "a run that had ended took the promoted model with it"


def check_by_both_protocols(place: str, target: str, token: str, version: str) -> None:
    with forwarded(place, target) as url, Client(url, token) as rest, GrpcClient(url, token) as grpc:
        endpoints.assert_agreed(rest, grpc, NAME, version)
        for one, name in ((rest, "by REST"), (grpc, "by gRPC")):
            one.infer(NAME, {key: rows[:1] for key, rows in SIGNATURE.sample.items()}, request_id=name)


def assert_logged(version: str) -> None:
    """The pod, which has ended, has written its requests of one row."""
    rows = read_log(f"{SERVED}/{NAME}")
    assert set(rows["id"]) == {"by REST", "by gRPC"}
    assert (set(rows["version"]), set(rows["distance"])) == ({version}, {100.0})


def promote_although_the_first_try_is_killed(run: str) -> None:
    module = "seaway.platforms.kubernetes.serving.deployment"
    code = f"from {module} import endpoint; endpoint().promote({NAME!r}, {run!r})"
    with subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ)) as step:
        adapter = deployment.endpoint()
        while step.poll() is None and "candidate" in adapter.list()[0].arms:
            time.sleep(0.01)
        step.send_signal(signal.SIGKILL)
    adapter.promote(NAME, run)


def test_a_package_that_was_changed_in_the_store_never_serves_and_leaves_nothing(
    packages: dict[str, Path], store: StoreInCluster, server_image: str, objects: Objects, tmp_path: Path
) -> None:
    adapter = deployment.endpoint()
    [before] = adapter.list()
    hosting = endpoints.hosting(server_image, store)
    foreign = small_package(tmp_path, tmp_path / "somebody-else")
    wanted = spec(packages, hosting, "run-4", "second", "third")
    uri = endpoints.uri_of(NAME, packages["third"])
    storage_for(uri).upload(foreign, uri)
    with pytest.raises(PackageRefused, match=uri) as refused:
        adapter.deploy(wanted)
    assert "model.sig does not vouch" in str(refused.value)
    [after] = adapter.list()
    assert after.arms == before.arms
    assert len(objects.list(DEPLOYMENTS).items) == 1
    assert objects.get(SERVICES, f"{NAME}-candidate") is None


def test_an_image_that_cannot_be_had_is_told_and_leaves_nothing(
    packages: dict[str, Path], store: StoreInCluster, objects: Objects
) -> None:
    hosting = endpoints.hosting("registry.invalid/seaway/server:none", store)
    adapter = deployment.endpoint(patience=Patience(image_s=3.0))
    wanted = EndpointSpec("ghost", "run-1", packages["first"], hosting=hosting)
    with pytest.raises(EndpointFailed, match=r"registry\.invalid/seaway/server:none"):
        adapter.deploy(wanted)
    assert objects.get(CONFIG_MAPS, "ghost-endpoint") is None
    assert not [one for one in objects.list(DEPLOYMENTS).items if one["metadata"]["name"].startswith("ghost")]


def test_a_container_that_ends_again_and_again_is_told_with_its_reason(
    packages: dict[str, Path], store: StoreInCluster, image: str, objects: Objects
) -> None:
    wanted = EndpointSpec("looping", "run-1", packages["first"], hosting=endpoints.hosting(image, store))
    with pytest.raises(EndpointFailed, match="again and again"):
        deployment.endpoint().deploy(wanted)
    assert objects.get(CONFIG_MAPS, "looping-endpoint") is None
