"""Faults of an endpoint behind a VirtualService, whoever runs its pods: on the real API server, the rest played."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fake_istio
import pytest
from fake_istio import Istio
from fake_kserve import KServe
from fake_workloads import Workloads, evict, is_ready, quota
from routes import edited
from seaway import platforms
from seaway.errors import EndpointFailed, OperatorMissing
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.http import Answer, fetch
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, DEPLOYMENTS, PODS, Resource
from seaway.platforms.kubernetes.jobs.wait import Patience
from seaway.platforms.kubernetes.serving import deployment, kserve
from seaway.platforms.kubernetes.serving.endpoint import KubernetesEndpoint
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES
from seaway.platforms.kubernetes.serving.server_pod import VERSION
from seaway.platforms.kubernetes.traffic import gateway
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, VIRTUAL_SERVICES
from seaway.rollout import Traffic
from seaway.serving import DeployedEndpoint, EndpointSpec
from small_package import small_package

NAME = "small"
HOSTING = {"image": "docker.io/seaway/none:v1", "replicas": 2}
HALF = {"stable": 50, "candidate": 50}
KINDS = {"deployment": deployment, "inferenceservice": kserve}
OBJECTS: dict[str, Resource] = {"deployment": DEPLOYMENTS, "inferenceservice": INFERENCE_SERVICES}
REPLICAS = {"deployment": "/spec/replicas", "inferenceservice": "/spec/predictor/minReplicas"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("packages")
    return {name: small_package(folder / name, folder / "home", seed) for seed, name in enumerate(("first", "second"))}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def objects(serve: Callable[..., None], connection: Connection) -> Objects:
    serve(INFERENCE_SERVICES, VIRTUAL_SERVICES, DESTINATION_RULES)
    return Objects(connection)


@pytest.fixture
def workloads(objects: Objects) -> Workloads:
    return Workloads(objects)


@pytest.fixture
def istio(objects: Objects, workloads: Workloads) -> Iterator[Istio]:
    with ExitStack() as stack:
        istio = stack.enter_context(fake_istio.serving(objects))
        stack.enter_context(workloads.played())
        yield istio


@pytest.fixture
def operator(kind: str, objects: Objects, istio: Istio) -> Iterator[None]:
    """Deployments have none but Kubernetes' own."""
    with ExitStack() as stack:
        if kind == "inferenceservice":
            stack.enter_context(KServe(objects).played())
        yield


@pytest.fixture(autouse=True)
def environment(
    kind: str,
    namespace: str,
    packages: dict[str, Path],
    tmp_path: Path,
    istio: Istio,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {
        "SEAWAY_PLATFORM": "kubernetes",
        "SEAWAY_ENDPOINT": kind,
        "SEAWAY_NAMESPACE": namespace,
        "SEAWAY_STORAGE": (tmp_path / "storage").as_uri(),
        "SEAWAY_HOME": str(packages["first"].parents[1] / "home"),
        "SEAWAY_GATEWAY": f"{namespace}/edge",
        "SEAWAY_GATEWAY_URL": istio.url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def adapter(kind: str, connection: Connection) -> KubernetesEndpoint:
    return KINDS[kind].endpoint(connection, Patience(operator_s=2, cleanup_s=30))


def spec(packages: dict[str, Path], run: str = "run-1", candidate: str = "second", **hosting: Any) -> EndpointSpec:
    other = packages[candidate] if candidate else None
    return EndpointSpec(NAME, run, packages["first"], other, hosting={**HOSTING, **hosting})


@pytest.fixture
def deployed(operator: None, adapter: KubernetesEndpoint, packages: dict[str, Path]) -> DeployedEndpoint:
    return adapter.deploy(spec(packages))


def asked(endpoint: DeployedEndpoint, count: int) -> Counter[str]:
    """How many of so many requests each arm answered; failures by their status."""
    versions = {arm.version: name for name, arm in endpoint.arms.items()}
    found = Counter[str]()
    for _ in range(count):
        answer = fetch(f"{endpoint.url}/v2/models/{NAME}", 5.0, {"host": endpoint.host})
        found[versions.get(answer.headers.get("x-seaway-version", ""), str(answer.status))] += 1
    return found


def living(objects: Objects) -> list[dict[str, Any]]:
    return objects.list(PODS, {"labelSelector": VERSION}).items


def lose_pods(objects: Objects, workloads: Workloads, endpoint: DeployedEndpoint, arm: str) -> None:
    """None of the arm's pods is ready any more."""
    version = endpoint.arms[arm].version
    workloads.sick.add(version)
    while any(is_ready(pod) for pod in living(objects) if pod["metadata"]["labels"][VERSION] == version):
        time.sleep(0.05)


def test_there_is_a_way_back_when_the_candidate_has_no_pods(
    adapter: KubernetesEndpoint, deployed: DeployedEndpoint, objects: Objects, workloads: Workloads
) -> None:
    platforms.current(Traffic).set_weights(deployed, HALF)
    lose_pods(objects, workloads, deployed, "candidate")
    assert asked(deployed, 40)["503"]
    left = adapter.roll_back(NAME, "run-1")
    assert asked(left, 40) == {"stable": 40}


def test_a_candidate_without_pods_is_not_promoted_and_gets_no_traffic(
    adapter: KubernetesEndpoint, deployed: DeployedEndpoint, objects: Objects, workloads: Workloads
) -> None:
    lose_pods(objects, workloads, deployed, "candidate")
    with pytest.raises(EndpointFailed, match="its traffic was left as it is"):
        adapter.promote(NAME, "run-1")
    assert asked(deployed, 20) == {"stable": 20}


def test_every_pod_can_be_evicted_with_two_arms(deployed: DeployedEndpoint, objects: Objects) -> None:
    assert len(living(objects)) == 4
    for pod in living(objects):
        evict(objects, pod["metadata"]["name"])


def test_the_first_request_after_the_first_deploy_is_answered(deployed: DeployedEndpoint) -> None:
    assert asked(deployed, 1) == {"stable": 1}


@dataclass
class LateProxy:
    """A node's proxy, which learns of a Service some time after the API server has its addresses."""

    objects: Objects
    behind: int = 3  # requests
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str, within_s: float, headers: Mapping[str, str], *trust: object) -> Answer:
        self.asked.append(url)
        if len(self.asked) <= self.behind:
            raise ConnectionRefusedError(url)
        [version] = {pod["metadata"]["labels"][VERSION] for pod in living(self.objects)}
        return Answer(200, {"x-seaway-version": version}, b"")


def test_without_a_gateway_a_deploy_in_a_pod_returns_once_its_node_leads_to_the_model(
    operator: None,
    adapter: KubernetesEndpoint,
    packages: dict[str, Path],
    objects: Objects,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("SEAWAY_GATEWAY_URL", "SEAWAY_GATEWAY"):
        monkeypatch.delenv(name)
    proxy = LateProxy(objects)
    monkeypatch.setattr(platforms, "in_pod", lambda: True)
    monkeypatch.setattr(gateway, "fetch", proxy)
    deployed = adapter.deploy(spec(packages, candidate=""))
    assert len(proxy.asked) > proxy.behind
    assert all(url.startswith(deployed.url) for url in proxy.asked)


def test_a_quota_that_is_too_small_for_a_pod_is_told_at_once_and_stable_stays(
    operator: None, adapter: KubernetesEndpoint, packages: dict[str, Path], objects: Objects
) -> None:
    first = adapter.deploy(spec(packages, candidate=""))
    quota(objects, pods="0")
    with pytest.raises(EndpointFailed, match=r"larger than the namespace's quota.*limited: pods=0"):
        adapter.deploy(spec(packages, "run-2"))
    assert asked(first, 10) == {"stable": 10}


def test_what_somebody_else_has_set_does_not_bar_promotion(
    kind: str, adapter: KubernetesEndpoint, deployed: DeployedEndpoint, objects: Objects
) -> None:
    """As by `kubectl scale`; what is proved ours is written as it is wanted."""
    name = f"{NAME}-{deployed.arms['candidate'].version}"
    edited(objects, OBJECTS[kind], name, [{"op": "replace", "path": REPLICAS[kind], "value": 1}])
    left = adapter.promote(NAME, "run-1")
    assert asked(left, 20) == {"stable": 20}
    assert left.arms["stable"].version == deployed.arms["candidate"].version


@pytest.mark.parametrize("kind", ["inferenceservice"], indirect=True)
def test_an_operator_that_is_down_is_told_and_nothing_is_left(
    adapter: KubernetesEndpoint, packages: dict[str, Path], objects: Objects
) -> None:
    with pytest.raises(OperatorMissing, match="KServe does not run"):
        adapter.deploy(spec(packages))
    assert objects.get(CONFIG_MAPS, f"{NAME}-endpoint") is None
