"""KServe's own controller: InferenceServices behind a VirtualService, then an HTTPRoute, without a lost request."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import edge
import endpoints
import numpy as np
import pytest
from endpoints import SIGNATURE, STARTUP_S, asking
from installed import require_controller
from kubernetes import dynamic
from object_store_pod import StoreInCluster, object_store
from seaway import platforms
from seaway.errors import PackageRefused
from seaway.models import ExportedModel
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, PODS, SERVICES
from seaway.platforms.kubernetes.serving import kserve
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES
from seaway.platforms.kubernetes.traffic.gateway_api import GATEWAYS, HTTP_ROUTES
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES, IstioTraffic
from seaway.rollout import Traffic
from seaway.serving import Client, DeployedEndpoint, EndpointSpec, GrpcClient
from seaway.storage import storage_for
from small_package import small_package

import images

pytestmark = pytest.mark.timeout(900)
NAME = "small"


@pytest.fixture(scope="module")
def connection(cluster: dynamic.DynamicClient) -> Iterator[Connection]:
    require_controller(cluster, INFERENCE_SERVICES)
    with edge.behind_istio(cluster) as connection:
        yield connection


@pytest.fixture(scope="module")
def store(cluster: dynamic.DynamicClient, connection: Connection) -> Iterator[StoreInCluster]:
    with object_store(cluster.client, connection.namespace) as store:
        yield store


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def packages(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    return {name: small_package(folder / name, home, seed) for seed, name in enumerate(("first", "second", "third"))}


@pytest.fixture(autouse=True)
def environment(store: StoreInCluster, home: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "SEAWAY_PLATFORM": "kubernetes",
        "SEAWAY_NAMESPACE": connection.namespace,
        "SEAWAY_ENDPOINT": "inferenceservice",
        "SEAWAY_GATEWAY": f"{connection.namespace}/edge",
        "SEAWAY_GATEWAY_URL": edge.URL,
        **endpoints.environment(store, home),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def objects(connection: Connection) -> Objects:
    return Objects(connection)


@pytest.fixture
def hosting(connection: Connection, store: StoreInCluster) -> dict[str, Any]:
    return endpoints.hosting(images.server_image(), store, host=f"{NAME}.{connection.namespace}.test")


def spec(
    hosting: Mapping[str, Any], packages: Mapping[str, Path], run: str, stable: str, candidate: str = ""
) -> EndpointSpec:
    other = packages[candidate] if candidate else None
    return EndpointSpec(NAME, run, packages[stable], other, startup_timeout_s=STARTUP_S, hosting=hosting)


def test_a_canary_is_promoted_behind_a_virtual_service_without_a_lost_request(
    objects: Objects, hosting: dict[str, Any], packages: dict[str, Path]
) -> None:
    adapter = kserve.endpoint()
    first = adapter.deploy(spec(hosting, packages, "run-1", "first"))
    answer = by_both_protocols(first)
    predicted = ExportedModel.load(packages["first"]).predict(SIGNATURE.sample)
    np.testing.assert_allclose(answer, predicted["probability"], rtol=1e-5)
    with asking(first) as during:
        second = adapter.deploy(spec(hosting, packages, "run-2", "first", "second"))
        shift(second, 30)
        adapter.promote(NAME, "run-2")
    old, new = (second.arms[arm].version for arm in ("stable", "candidate"))
    assert during.failures == []
    assert during.versions.keys() == {old, new}
    assert workloads(objects) == {f"{NAME}-{new}"}
    assert {pod["metadata"]["labels"]["seaway.dev/version"] for pod in living(objects)} == {new}


def by_both_protocols(endpoint: DeployedEndpoint) -> Any:
    """What the sample is answered through the gateway, by REST and gRPC alike."""
    place = endpoint.url, endpoint.token()
    with Client(*place, host=endpoint.host) as rest, GrpcClient(*place, host=endpoint.host) as grpc:
        endpoints.assert_agreed(rest, grpc, NAME, endpoint.arms["stable"].version)
        return rest.infer(NAME, SIGNATURE.sample)["probability"]


def shift(endpoint: DeployedEndpoint, percent: int) -> None:
    """Send so much to the candidate, and see both arms answer."""
    platforms.current(Traffic).set_weights(endpoint, {"stable": 100 - percent, "candidate": percent})
    assert edge.answering(endpoint, 60, inputs=SIGNATURE.sample).keys() == {"stable", "candidate"}


def test_new_pods_of_one_version_take_over_without_a_lost_request(objects: Objects) -> None:
    """As when somebody edits the InferenceService, or KServe is upgraded: its Deployment is rolled."""
    [served] = kserve.endpoint().list()
    before = {pod["metadata"]["uid"] for pod in living(objects)}
    found = objects.get(INFERENCE_SERVICES, f"{NAME}-{served.arms['stable'].version}")
    assert found
    with asking(served) as during:
        annotations = {"op": "add", "path": "/spec/predictor/annotations/edited", "value": "yes"}
        objects.patch(INFERENCE_SERVICES, found, [annotations])
        deadline = time.monotonic() + STARTUP_S
        while before & {pod["metadata"]["uid"] for pod in objects.list(PODS).items}:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    assert during.failures == []
    assert sum(during.versions.values()) > 100


def test_a_package_that_was_changed_in_the_store_never_serves(
    objects: Objects, hosting: dict[str, Any], packages: dict[str, Path], tmp_path: Path
) -> None:
    before = workloads(objects)
    wanted = spec(hosting, packages, "run-3", "second", "third")
    uri = endpoints.uri_of(NAME, packages["third"])
    storage_for(uri).upload(small_package(tmp_path, tmp_path / "somebody-else"), uri)
    with pytest.raises(PackageRefused, match=r"model\.sig does not vouch"):
        kserve.endpoint().deploy(wanted)
    assert workloads(objects) == before
    storage_for(uri).upload(packages["third"], uri)


def test_a_canary_is_rolled_back_behind_an_http_route_and_the_endpoint_ends_with_its_objects(
    objects: Objects, hosting: dict[str, Any], packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, place = kserve.endpoint(), objects.namespace
    IstioTraffic().remove(adapter.list()[0])
    monkeypatch.setenv("SEAWAY_TRAFFIC", "gateway-api")
    monkeypatch.setenv("SEAWAY_GATEWAY", f"{edge.ISTIO_NAMESPACE}/{place}")
    with edge.in_istio_namespace(objects.connection, edge.api_gateway(place, place), GATEWAYS):
        third = adapter.deploy(spec(hosting, packages, "run-4", "second", "third"))
        by_both_protocols(third)
        with asking(third) as during:
            shift(third, 30)
            adapter.roll_back(NAME, "run-4")
        assert during.failures == []
        assert workloads(objects) == {f"{NAME}-{third.arms['stable'].version}"}
        adapter.delete(NAME)
    assert not living(objects)
    for resource in (INFERENCE_SERVICES, VIRTUAL_SERVICES, HTTP_ROUTES, CONFIG_MAPS, SERVICES):
        left = objects.list(resource, {"labelSelector": "app.kubernetes.io/managed-by=seaway"}).items
        assert not [one["metadata"]["name"] for one in left if "deletionTimestamp" not in one["metadata"]]


def test_kserves_own_server_keeps_the_open_inference_protocol_in_an_inference_service(
    hosting: dict[str, Any], packages: dict[str, Path], objects: Objects, runtime_image: str
) -> None:
    adapter, name = kserve.endpoint(), "by-kserve"
    own = {**hosting, "image": images.servers_image(), "host": f"{name}.{objects.namespace}.test"}
    wanted = EndpointSpec(name, "run-1", packages["first"], startup_timeout_s=STARTUP_S, hosting=own, server="kserve")
    served = adapter.deploy(wanted)
    url = f"http://{name}-stable.{objects.namespace}"
    outcomes = endpoints.conformance(objects.namespace, runtime_image, url, name, served.token())
    adapter.delete(name)
    assert {check: how for check, how in outcomes.items() if how != "ok"} == {}
    assert len(outcomes) >= 18


def workloads(objects: Objects) -> set[str]:
    return {one["metadata"]["name"] for one in objects.list(INFERENCE_SERVICES).items}


def living(objects: Objects) -> list[dict[str, Any]]:
    """The pods that serve."""
    return objects.list(PODS, {"labelSelector": "seaway.dev/version"}).items
