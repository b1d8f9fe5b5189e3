"""Each model server in pods of a Deployment: the whole of the Open Inference Protocol, asked from another pod."""

from collections.abc import Iterator
from pathlib import Path

import endpoints
import pytest
from endpoints import STARTUP_S, forwarded
from kubernetes import dynamic
from namespaces import made_namespace
from object_store_pod import StoreInCluster, object_store
from seaway.platforms.kubernetes.serving import deployment
from seaway.serving import Client, EndpointSpec, GrpcClient
from small_package import small_package

import images

pytestmark = pytest.mark.timeout(900)
NAME = "small"


@pytest.fixture(scope="module")
def place(cluster: dynamic.DynamicClient) -> Iterator[str]:
    with made_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def store(cluster: dynamic.DynamicClient, place: str) -> Iterator[StoreInCluster]:
    with object_store(cluster.client, place) as store:
        yield store


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def package(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_package(tmp_path_factory.mktemp("package"), home)


@pytest.fixture(autouse=True)
def environment(store: StoreInCluster, home: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in endpoints.environment(store, home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SEAWAY_NAMESPACE", place)


@pytest.mark.parametrize("server", ["uvicorn", "kserve", "mlserver", "torchserve"])
def test_the_open_inference_protocol_is_kept_whole_in_pods(
    server: str, package: Path, store: StoreInCluster, place: str, runtime_image: str
) -> None:
    hosting = endpoints.hosting(images.servers_image(), store)
    adapter = deployment.endpoint()
    wanted = EndpointSpec(NAME, server, package, startup_timeout_s=STARTUP_S, hosting=hosting, server=server)
    served = adapter.deploy(wanted)
    try:
        version, token = served.arms["stable"].version, served.token()
        with forwarded(place, f"svc/{NAME}-stable") as url, Client(url, token) as rest, GrpcClient(url, token) as grpc:
            endpoints.assert_agreed(rest, grpc, NAME, version)
        outcomes = endpoints.conformance(place, runtime_image, f"http://{NAME}-stable.{place}", NAME, token)
        assert {check: how for check, how in outcomes.items() if how != "ok"} == {}
        assert len(outcomes) >= 18
    finally:
        adapter.delete(NAME)
