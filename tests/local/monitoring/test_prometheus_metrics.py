"""A judge that counts by Prometheus: right where the answer is whole and fresh, blind in every other case."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from faulty_proxy import Answer, Fault, FaultyProxy, Forward, Request, cut, cut_answer, faulty_proxy
from prometheus_server import SCRAPE_S, Page, page, prometheus
from seaway.errors import MetricsUnavailable
from seaway.models import signing_keys
from seaway.monitoring import ArmCounts
from seaway.platforms.kubernetes.jobs.pod_usage import CPU, GIB, MEMORY, usage_of
from seaway.platforms.kubernetes.metrics import prometheus as adapter
from seaway.platforms.kubernetes.metrics.gateway_stats import GatewayMetrics
from seaway.platforms.kubernetes.metrics.prometheus import PrometheusMetrics
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.reporting.usage import Usage
from seaway.rollout import Answers, Decision, Notary, Policy, RolloutPlan, Step, Warrant, run
from seaway.serving import Arm, DeployedEndpoint

QUERY = "/api/v1/query"
ALWAYS = 10**9
SCRAPED_S = 300
MAX_AGE_S = 10
POLICY = Policy(latency=None, quality=None, min_requests=20, budget=3_000, max_age_s=20.0)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Page]:
    with page() as shown:
        yield shown


@pytest.fixture(scope="module")
def server(gateway: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    target = gateway.url.removeprefix("http://").partition("/")[0]
    with prometheus(target, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture
def proxied(server: str) -> Iterator[tuple[FaultyProxy, str]]:
    with faulty_proxy(server.removeprefix("http://")) as (proxy, url):
        yield proxy, url


@pytest.fixture
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> DeployedEndpoint:
    """One for each test, so that no counter of another test is in Prometheus' memory."""
    arms = {arm: Arm(arm, arm, arm, 64 * arm[0]) for arm in ("stable", "candidate")}
    name = f"m{abs(hash(request.node.name)) % 10**9}"
    return DeployedEndpoint(name, "r1", tmp_path, arms=arms)


Counts = Mapping[str, tuple[int, int]]


def istio(endpoint: DeployedEndpoint, counts: Counts) -> str:
    """What Istio's proxy tells of requests and errors by arm."""
    lines = []
    for arm, (requests, errors) in counts.items():
        to = f'destination_service_name="{endpoint.name}-{arm}",destination_service_namespace="team"'
        for reporter in ("source", "destination"):
            labels = f'{to},reporter="{reporter}"'
            lines += [f'istio_requests_total{{{labels},response_code="200"}} {requests - errors}']
            lines += [f'istio_requests_total{{{labels},response_code="503"}} {errors}']
            lines += [f'istio_request_duration_milliseconds_bucket{{{labels},le="100"}} {requests}']
    return "\n".join(lines) + "\n"


def envoy(endpoint: DeployedEndpoint, counts: Counts, prefix: str = "") -> str:
    """What a plain Envoy tells; `prefix` is that of its labels by default."""
    lines = []
    for arm, (requests, errors) in counts.items():
        cluster = f'{prefix}cluster_name="outbound|80||{endpoint.name}-{arm}.team.svc.cluster.local"'
        lines += [f"envoy_cluster_upstream_rq_completed{{{cluster}}} {requests}"]
        lines += [f'envoy_cluster_upstream_rq{{{cluster},{prefix}response_code="503"}} {errors}']
        lines += [f'envoy_cluster_upstream_rq_time_bucket{{{cluster},le="100"}} {requests}']
    return "\n".join(lines) + "\n"


def counted(metrics: PrometheusMetrics, endpoint: DeployedEndpoint, requests: int) -> Mapping[str, ArmCounts]:
    """Counts, once those of stable have reached `requests`."""
    deadline = time.monotonic() + SCRAPED_S
    while time.monotonic() < deadline:
        try:
            if (counts := metrics.read(endpoint))["stable"].requests == requests:
                return counts
        except MetricsUnavailable as error:
            last: Any = error
        time.sleep(SCRAPE_S / 4)
    raise AssertionError(f"Prometheus never counted {requests} requests: {last}")


@pytest.mark.parametrize(
    "tell",
    [istio, envoy, lambda *given: envoy(*given, prefix="envoy_"), lambda *given: istio(*given) + envoy(*given)],
    ids=["istio", "envoy", "envoy by default", "both"],
)
def test_counts_of_either_proxy_are_those_that_it_told(
    server: str, gateway: Page, endpoint: DeployedEndpoint, tell: Callable[..., str]
) -> None:
    gateway.text = tell(endpoint, {"stable": (90, 1), "candidate": (10, 3)})
    counts = counted(PrometheusMetrics("team", server), endpoint, 90)
    assert counts == {"stable": ArmCounts(90, 1, {0.1: 90}), "candidate": ArmCounts(10, 3, {0.1: 10})}
    assert GatewayMetrics("team", gateway.url).read(endpoint) == counts


def json_answer(body: object) -> Fault:
    content = json.dumps(body).encode()
    return lambda request, forward: Answer(200, [("Content-Type", "application/json")], content)


def html(request: Request, forward: Forward) -> Answer:
    return Answer(200, [("Content-Type", "text/html")], b"<html><body>Please sign in</body></html>")


def slow(request: Request, forward: Forward) -> Answer:
    time.sleep(1.0)
    return forward(request)


def partial(request: Request, forward: Forward) -> Answer:
    """As Thanos answers where a store is away."""
    answer = forward(request)
    body = {**json.loads(answer.body), "warnings": ["No StoreAPIs matched for this query"]}
    return Answer(200, [("Content-Type", "application/json")], json.dumps(body).encode())


def bad_gateway(request: Request, forward: Forward) -> Answer:
    return Answer(502, [("Content-Type", "text/plain")], b"Bad Gateway")


ERROR = {"status": "error", "errorType": "timeout", "error": "query timed out in expression evaluation"}
VECTOR = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "5"]}]}}
FAULTS: dict[str, Fault] = {
    "down": cut,
    "slow": slow,
    "html": html,
    "bad gateway": bad_gateway,
    "error": json_answer(ERROR),
    "partial": partial,
    "cut short": cut_answer,
    "another type": json_answer(VECTOR),
    "no result": json_answer({"status": "success", "data": {}}),
    "a list": json_answer([]),
    "nothing": json_answer({"status": "success", "data": {"resultType": "matrix", "result": []}}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_answer_is_no_metrics(
    server: str,
    gateway: Page,
    endpoint: DeployedEndpoint,
    proxied: tuple[FaultyProxy, str],
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway.text = istio(endpoint, {"stable": (90, 0), "candidate": (10, 0)})
    counted(PrometheusMetrics("team", server), endpoint, 90)
    proxy, url = proxied
    proxy.spoil(QUERY, FAULTS[fault], ALWAYS)
    monkeypatch.setattr(adapter, "TIMEOUT_S", 0.5)
    with pytest.raises(MetricsUnavailable, match="Prometheus"):
        PrometheusMetrics("team", url).read(endpoint)


def test_a_server_that_is_not_there_is_no_metrics(endpoint: DeployedEndpoint) -> None:
    with pytest.raises(MetricsUnavailable, match="does not answer"):
        PrometheusMetrics("team", "http://127.0.0.1:1").read(endpoint)


def test_a_scrape_that_is_too_old_is_no_metrics(server: str, gateway: Page, endpoint: DeployedEndpoint) -> None:
    gateway.text = istio(endpoint, {"stable": (90, 0), "candidate": (10, 0)})
    metrics = PrometheusMetrics("team", server, max_age_s=2, patience_s=0.0)
    counted(metrics, endpoint, 90)
    gateway.text = ""
    time.sleep(2 + 2 * SCRAPE_S)
    with pytest.raises(MetricsUnavailable, match="within the last 2 s"):
        metrics.read(endpoint)
    gateway.text = istio(endpoint, {"stable": (91, 0), "candidate": (10, 0)})
    counted(metrics, endpoint, 91)


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_a_counter_that_is_no_number_is_no_metrics(
    server: str, gateway: Page, endpoint: DeployedEndpoint, value: str
) -> None:
    told = istio(endpoint, {"stable": (90, 0), "candidate": (10, 0)})
    gateway.text = told
    counted(PrometheusMetrics("team", server), endpoint, 90)
    gateway.text = told.replace(" 10\n", f" {value}\n")
    time.sleep(3 * SCRAPE_S)
    with pytest.raises(MetricsUnavailable, match="no count"):
        PrometheusMetrics("team", server).read(endpoint)


def test_an_arm_that_is_not_counted_is_no_metrics(server: str, gateway: Page, endpoint: DeployedEndpoint) -> None:
    gateway.text = istio(endpoint, {"stable": (90, 0)})
    with pytest.raises(MetricsUnavailable, match=f"{endpoint.name}-candidate"):
        counted(PrometheusMetrics("team", server), replace(endpoint, arms={"stable": endpoint.arms["stable"]}), 90)
        PrometheusMetrics("team", server).read(endpoint)


def test_counters_that_the_next_scrape_brings_are_waited_for(
    server: str, gateway: Page, endpoint: DeployedEndpoint
) -> None:
    metrics = PrometheusMetrics("team", server, patience_s=SCRAPED_S)
    with pytest.raises(MetricsUnavailable, match="no counters"):
        metrics.read(endpoint)
    gateway.text = istio(endpoint, {"stable": (9, 0), "candidate": (1, 0)})
    assert metrics.read(endpoint)["candidate"].requests == 1


class FakeEndpoint:
    """Requests and weights of an endpoint, told to the page as Istio's proxy would; `fault` befalls it half-way."""

    def __init__(self, endpoint: DeployedEndpoint, gateway: Page, fault: Callable[[], None]) -> None:
        self.endpoint, self.gateway, self.fault = endpoint, gateway, fault
        self.split: Mapping[str, int] = {"stable": 100, "candidate": 0}
        self.highest, self.looks, self.broken = 0, 0, False
        self.counts = {"stable": 1, "candidate": 1}
        self.tell()

    def tell(self) -> None:
        self.gateway.text = istio(self.endpoint, {arm: (count, 0) for arm, count in self.counts.items()})

    def presented(self, endpoint: DeployedEndpoint) -> Warrant | None:
        raise AssertionError("nobody asks what was presented")

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        self.split, self.highest = dict(weights), max(self.highest, weights["candidate"])

    def present(self, endpoint: DeployedEndpoint, warrant: Warrant) -> None:
        pass

    def mirror(self, endpoint: DeployedEndpoint, percent: int) -> None:
        raise AssertionError("nothing is mirrored here")

    def weights(self, endpoint: DeployedEndpoint) -> Mapping[str, int]:
        return self.split

    def send(self, count: int, control: float = 0.0) -> Answers:
        self.looks += 1
        candidate = count * self.split["candidate"] // 100
        answered = {"stable": count - candidate, "candidate": candidate}
        for arm, requests in answered.items():
            self.counts[arm] += requests
        if self.looks == 3:
            self.fault()
            self.broken = True
        if not self.broken or self.fault is nothing:
            self.tell()
        return Answers(sent=count, answered=answered)

    def position(self) -> Any:
        return self.looks

    def resume(self, position: Any) -> None:
        raise AssertionError("nothing is resumed here")


def nothing() -> None:
    """No fault."""


def drive(road: FakeEndpoint, url: str, max_age_s: float) -> Any:
    road.tell()
    counted(PrometheusMetrics("team", url), road.endpoint, road.counts["stable"])
    steps = (Step(10, 200), Step(50, 400), Step(100, 100))
    plan = RolloutPlan(road.endpoint, steps, replace(POLICY, max_age_s=max_age_s), requests_per_look=200)
    metrics = PrometheusMetrics("team", url, MAX_AGE_S, patience_s=2.0)
    folder = road.endpoint.folder
    notary = Notary(signing_keys(folder / "keys").private, str(folder / "evidence"))
    return run(plan, road, road, metrics, FileRolloutStore(folder / "state.json"), notary)


def test_a_good_candidate_is_promoted_by_what_prometheus_counts(
    server: str, gateway: Page, endpoint: DeployedEndpoint
) -> None:
    rollout = drive(FakeEndpoint(endpoint, gateway, nothing), server, SCRAPED_S)
    assert rollout.decision is Decision.PROMOTE, rollout.reason


@pytest.mark.parametrize("fault", ["html", "error", "down", "partial", "frozen", "gone", "restarted"])
def test_no_fault_of_the_metrics_promotes(
    server: str, gateway: Page, endpoint: DeployedEndpoint, proxied: tuple[FaultyProxy, str], fault: str
) -> None:
    proxy, url = proxied

    def strike() -> None:
        if fault in FAULTS:
            proxy.spoil(QUERY, FAULTS[fault], ALWAYS)
        elif fault == "gone":
            gateway.text = ""
        elif fault == "restarted":
            gateway.text = istio(endpoint, {"stable": (5, 0), "candidate": (1, 0)})

    road = FakeEndpoint(endpoint, gateway, strike)
    rollout = drive(road, url, max_age_s=1.0)
    assert rollout.decision is Decision.INCONCLUSIVE, rollout.reason
    assert (road.highest < 100, road.split["candidate"]) == (True, 0)


def test_what_pods_used_is_the_kubelet_s_count_of_their_containers(
    gateway: Page, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_PROMETHEUS_URL", server)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    spec = {"containers": [{"name": "main", "resources": {"requests": {"cpu": "2"}}}]}
    names = ("step-a", "step-b", "unseen")
    metadata = [{"name": name, "namespace": "ml", "creationTimestamp": now} for name in names]
    counted = {'pod="step-a",container="main"': (7.5, GIB), 'pod="step-a",container="wait"': (0.5, GIB / 2)}
    whole = {'pod="step-a",container=""': (99, 9 * GIB), 'pod="step-b",container="main"': (3, GIB / 4)}
    foreign = {'pod="step-ab",container="main"': (50, GIB)}
    gateway.text = "".join(
        f'{CPU}{{namespace="ml",{labels}}} {cpu}\n{MEMORY}{{namespace="ml",{labels}}} {memory}\n'
        for labels, (cpu, memory) in {**counted, **whole, **foreign}.items()
    )
    pods = [{"metadata": one, "spec": spec} for one in metadata]
    deadline = time.monotonic() + SCRAPED_S
    while (found := usage_of(pods))["step-b"].cpu_seconds is None:
        assert time.monotonic() < deadline
        time.sleep(SCRAPE_S / 2)
    assert found["step-a"] == Usage(8.0, 1.5, asked_cpu=2.0)
    assert found["step-b"] == Usage(3.0, 0.25, asked_cpu=2.0)
    assert found["unseen"] == Usage(asked_cpu=2.0)
