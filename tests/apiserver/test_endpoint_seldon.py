"""An endpoint on Seldon Core, whose operator and webhook are played as they were seen, on the real API server."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fake_seldon_operator as seldon_operator
import pytest
from api_proxy import ApiProxy
from fake_seldon_operator import AtWork
from fake_workloads import evict
from routes import edited
from seaway import platforms
from seaway.errors import AdmissionRefused, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.http import fetch
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, PODS, SERVICES
from seaway.platforms.kubernetes.jobs.wait import Patience
from seaway.platforms.kubernetes.serving import seldon
from seaway.platforms.kubernetes.serving.endpoint import KubernetesEndpoint
from seaway.platforms.kubernetes.serving.seldon import ARM
from seaway.platforms.kubernetes.serving.workload import BUDGETS
from seaway.platforms.kubernetes.traffic import gateway
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon import SeldonTraffic
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS, lacking_pods
from seaway.rollout import ALL_STABLE, Traffic
from seaway.serving import DeployedEndpoint, EndpointSpec
from small_package import small_package

NAME = "small"
HOSTING = {"image": "docker.io/seaway/none:v1", "replicas": 2}
HALF = {"stable": 50, "candidate": 50}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    return {name: small_package(folder / name, folder / "home", seed) for seed, name in enumerate(("first", "second"))}


@pytest.fixture
def objects(serve: Callable[..., None], connection: Connection) -> Objects:
    serve(*seldon_operator.KINDS)
    return Objects(connection)


@pytest.fixture
def seldon_core(objects: Objects) -> Iterator[AtWork]:
    with seldon_operator.at_work(objects) as at_work:
        yield at_work


@pytest.fixture(autouse=True)
def environment(
    namespace: str, packages: dict[str, Path], tmp_path: Path, seldon_core: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "SEAWAY_PLATFORM": "kubernetes",
        "SEAWAY_ENDPOINT": "seldondeployment",
        "SEAWAY_TRAFFIC": "seldon",
        "SEAWAY_NAMESPACE": namespace,
        "SEAWAY_STORAGE": (tmp_path / "storage").as_uri(),
        "SEAWAY_HOME": str(packages["first"].parents[1] / "home"),
        "SEAWAY_GATEWAY": f"{namespace}/edge",
        "SEAWAY_GATEWAY_URL": seldon_core.istio.url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def adapter(connection: Connection) -> KubernetesEndpoint:
    return seldon.endpoint(connection, Patience(operator_s=30, cleanup_s=30))


@pytest.fixture
def deployed(adapter: KubernetesEndpoint, packages: dict[str, Path]) -> DeployedEndpoint:
    return adapter.deploy(EndpointSpec(NAME, "run-1", packages["first"], packages["second"], hosting=HOSTING))


def split(endpoint: DeployedEndpoint, weights: dict[str, int]) -> None:
    platforms.current(Traffic).set_weights(endpoint, weights)


def asked(endpoint: DeployedEndpoint, count: int, **headers: str) -> Counter[str]:
    """How many of so many requests each arm answered; failures by their status."""
    versions = {arm.version: name for name, arm in endpoint.arms.items()}
    found = Counter[str]()
    for _ in range(count):
        answer = fetch(f"{endpoint.url}/v2/models/{NAME}", 5.0, {"host": endpoint.host, **headers})
        found[versions.get(answer.headers.get("x-seaway-version", ""), str(answer.status))] += 1
    return found


def predictors(objects: Objects) -> dict[str, int]:
    found = objects.get(SELDON_DEPLOYMENTS, NAME)
    assert found
    return {one["name"]: one["traffic"] for one in found["spec"]["predictors"]}


def pods(objects: Objects) -> list[dict[str, Any]]:
    return objects.list(PODS).items


@pytest.mark.parametrize("end", ["promote", "roll_back"])
def test_models_are_promoted_and_rolled_back_after_weights_were_moved(
    end: str, adapter: KubernetesEndpoint, deployed: DeployedEndpoint, objects: Objects
) -> None:
    split(deployed, HALF)
    left = getattr(adapter, end)(NAME, "run-1")
    assert predictors(objects) == {"stable": 100}
    assert asked(left, 20) == {"stable": 20}
    assert left.arms["stable"].version == deployed.arms["candidate" if end == "promote" else "stable"].version


def test_there_is_a_way_back_when_the_candidate_has_no_pods(
    adapter: KubernetesEndpoint, deployed: DeployedEndpoint, objects: Objects, seldon_core: AtWork
) -> None:
    split(deployed, HALF)
    lose_pods(objects, seldon_core, "candidate")
    assert asked(deployed, 40)["503"]
    left = adapter.roll_back(NAME, "run-1")
    assert asked(left, 40) == {"stable": 40}
    assert predictors(objects) == {"stable": 100}


def test_the_way_back_is_taken_although_its_operator_writes_meanwhile(
    deployed: DeployedEndpoint, objects: Objects, seldon_core: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    split(deployed, HALF)
    lose_pods(objects, seldon_core, "candidate")
    read, left = SeldonTraffic._existing, [1, 2]

    def meanwhile(self: SeldonTraffic, endpoint: DeployedEndpoint) -> dict[str, Any]:
        found = read(self, endpoint)
        if left:
            label = [{"op": "add", "path": "/metadata/labels/written", "value": str(left.pop())}]
            edited(objects, SELDON_DEPLOYMENTS, NAME, label)
        return found

    monkeypatch.setattr(SeldonTraffic, "_existing", meanwhile)
    split(deployed, dict(ALL_STABLE))
    assert (asked(deployed, 40), left) == ({"stable": 40}, [])


def lose_pods(objects: Objects, seldon_core: AtWork, arm: str) -> None:
    """None of its pods is ready any more, and its Deployment says so."""
    seldon_core.workloads.sick.add(arm)
    while "0 of 2" not in lacking_pods({"metadata": {"name": NAME}}, objects, arm):
        time.sleep(0.05)


def test_an_interrupted_rollout_gets_all_traffic_back_when_the_candidate_has_no_pods(
    deployed: DeployedEndpoint, objects: Objects, seldon_core: AtWork
) -> None:
    split(deployed, HALF)
    lose_pods(objects, seldon_core, "candidate")
    split(deployed, dict(ALL_STABLE))
    assert asked(deployed, 40) == {"stable": 40}
    with pytest.raises(TrafficFailed, match="no predictor candidate"):
        split(deployed, HALF)


def test_a_deployment_that_cannot_be_followed_says_whose_pods_are_missing(
    deployed: DeployedEndpoint, objects: Objects, seldon_core: AtWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_pods(objects, seldon_core, "candidate")
    monkeypatch.setattr(gateway, "FOLLOW_S", 1.0)
    with pytest.raises(TrafficFailed, match=r"Deployment small-candidate-0-server has 0 of 2 pods ready"):
        split(deployed, HALF)


@pytest.mark.parametrize("percent", [20, 100])
def test_copies_arrive_when_mirroring_returns_and_end_with_it(
    percent: int, deployed: DeployedEndpoint, objects: Objects, seldon_core: AtWork
) -> None:
    platforms.current(Traffic).mirror(deployed, percent)
    asked(deployed, 100)
    assert seldon_core.istio.copies[f"{NAME}-candidate"]
    split(deployed, dict(ALL_STABLE))
    before = seldon_core.istio.copies.total()
    assert predictors(objects) == ALL_STABLE
    assert asked(deployed, 20) == {"stable": 20}
    assert seldon_core.istio.copies.total() == before


def test_the_first_request_after_the_first_deploy_is_answered(deployed: DeployedEndpoint) -> None:
    assert asked(deployed, 1) == {"stable": 1}


def test_nothing_of_the_candidate_is_left_when_a_rollback_returns(
    adapter: KubernetesEndpoint, deployed: DeployedEndpoint, objects: Objects
) -> None:
    split(deployed, HALF)
    adapter.roll_back(NAME, "run-1")
    assert {pod["metadata"]["labels"][ARM] for pod in pods(objects)} == {"stable"}
    left = [one["metadata"] for one in objects.list(BUDGETS).items]
    assert [one["name"] for one in left if "deletionTimestamp" not in one] == [f"{NAME}-stable"]


def test_every_pod_can_be_evicted_with_two_arms(deployed: DeployedEndpoint, objects: Objects) -> None:
    for pod in pods(objects):
        evict(objects, pod["metadata"]["name"])


def test_the_operator_is_told_the_gateway_and_the_host(
    deployed: DeployedEndpoint, objects: Objects, namespace: str
) -> None:
    found = objects.get(VIRTUAL_SERVICES, NAME)
    assert found
    assert found["spec"]["gateways"] == [f"{namespace}/edge"]
    assert found["spec"]["hosts"] == [deployed.host] == [f"{NAME}.{namespace}"]


def test_both_protocols_lead_to_ports_where_the_server_listens(deployed: DeployedEndpoint, objects: Objects) -> None:
    service = objects.get(SERVICES, f"{NAME}-stable")
    assert service
    [container] = pods(objects)[0]["spec"]["containers"]
    listening = {one["containerPort"] for one in container["ports"]}
    assert {one["targetPort"] for one in service["spec"]["ports"]} <= listening
    assert {"name": "SEAWAY_GRPC_PORT", "value": "9500"} in container["env"]


def test_testers_name_the_arm_that_answers(deployed: DeployedEndpoint) -> None:
    for arm in ("candidate", "stable"):
        assert asked(deployed, 5, **{"x-seaway-arm": arm}) == {arm: 5}
    assert asked(deployed, 5) == {"stable": 5}
    assert asked(deployed, 1, **{"x-seaway-arm": "third"}) == {"404": 1}


def test_without_a_gateway_the_url_has_the_port_of_the_service(
    adapter: KubernetesEndpoint, packages: dict[str, Path], objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEAWAY_GATEWAY_URL")
    endpoint = adapter.deploy(EndpointSpec(NAME, "run-1", packages["first"], hosting=HOSTING))
    service = objects.get(SERVICES, f"{NAME}-stable")
    assert service
    assert urlsplit(endpoint.url).port in {one["port"] for one in service["spec"]["ports"]}


def test_what_somebody_else_writes_does_not_bar_the_way_back(
    adapter: KubernetesEndpoint, deployed: DeployedEndpoint, objects: Objects
) -> None:
    weights = [{"op": "add", "path": f"/spec/predictors/{place}/traffic", "value": 50} for place in (0, 1)]
    label = {"op": "add", "path": "/metadata/labels/team", "value": "sales"}
    edited(objects, SELDON_DEPLOYMENTS, NAME, [label, *weights])
    adapter.roll_back(NAME, "run-1")
    found = objects.get(SELDON_DEPLOYMENTS, NAME)
    assert found
    assert found["metadata"]["labels"]["team"] == "sales"
    assert predictors(objects) == {"stable": 100}


def test_an_operator_that_is_down_is_told_before_its_webhook_times_out(
    adapter: KubernetesEndpoint,
    objects: Objects,
    packages: dict[str, Path],
    proxied: Connection,
    proxy: ApiProxy,
) -> None:
    """A write that waits for a webhook of 30 s is given up after 10, twice, and not tried as long as an outage."""
    said = f"operator of {SELDON_DEPLOYMENTS.full_name} is probably down"
    with seldon_operator.silent(objects), pytest.raises(AdmissionRefused, match=said):
        seldon.endpoint(proxied).deploy(EndpointSpec("other", "run-1", packages["first"], hosting=HOSTING))
    writes = [one for one in proxy.requests if one.method == "PATCH" and one.path.endswith("seldondeployments/other")]
    assert len(writes) <= 3
    assert {one.query["timeout"] for one in writes} == {"10s"}
    assert objects.get(CONFIG_MAPS, "other-endpoint") is None
