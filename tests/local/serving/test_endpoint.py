"""A real endpoint by each model server: Envoy, packages signed and verified."""

import contextlib
import http.client
import json
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import pytest
from seaway.errors import MetricsUnavailable, PackageRefused, PortTaken, TrafficFailed
from seaway.model_server import processes, unix_http
from seaway.model_server.envoy import process as envoy
from seaway.model_server.ports import require_free
from seaway.model_server.torchscript import kept_script
from seaway.models import ExportedModel
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.platforms.local.serving.traffic import EnvoyMetrics, EnvoyTraffic
from seaway.serving import (
    Arm,
    Client,
    DeployedEndpoint,
    EndpointSpec,
    GrpcClient,
    InferenceRefused,
    InferenceUnavailable,
    conformance,
)
from seaway.storage import sha256
from small_package import SIGNATURE, WEATHER, small_package

ROWS = {
    "plan": np.array([["AA"], ["ZZ"], ["DL"]], object),
    "distance": np.array([[100.0], [np.nan], [2475.0]]),
    "weather": np.full((3, WEATHER), 0.5),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Two packages and the state folder whose key signed them; no Java can be found on this machine."""
    state = tmp_path_factory.mktemp("state")
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_HOME", str(state))
    environment.setenv("PATH", str(Path(sys.executable).parent))
    environment.delenv("JAVA_HOME", raising=False)
    assert shutil.which("java") is None
    folder = tmp_path_factory.mktemp("packages")
    yield {
        "home": state,
        "stable": small_package(folder / "stable", state, seed=1),
        "candidate": small_package(folder / "candidate", state, seed=2, bias=2.0),
    }
    environment.undo()


@pytest.fixture(scope="module", params=["uvicorn", "kserve", "mlserver", "torchserve"], autouse=True)
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """What answers: all of this file holds for each server."""
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_MODEL_SERVER", request.param)
    yield request.param
    environment.undo()


@pytest.fixture(scope="module")
def endpoint(packages: dict[str, Path], server: str) -> Iterator[DeployedEndpoint]:
    endpoints = LocalEndpoint()
    yield endpoints.deploy(EndpointSpec("flights", "r1", packages["stable"], packages["candidate"], server=server))
    endpoints.remove("flights", "r1")


@pytest.fixture
def client(endpoint: DeployedEndpoint) -> Iterator[Client]:
    with Client(endpoint.url, endpoint.token()) as client:
        yield client


def raw(endpoint: DeployedEndpoint, method: str, path: str, body: str | None = None) -> tuple[int, dict[str, object]]:
    address = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    headers = {"authorization": f"Bearer {endpoint.token()}", "content-type": "application/json"}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_every_path_of_the_open_inference_protocol_answers(endpoint: DeployedEndpoint) -> None:
    version = endpoint.arms["stable"].version
    assert raw(endpoint, "GET", "/v2/health/live") == (200, {"live": True})
    assert raw(endpoint, "GET", "/v2/health/ready")[1]["ready"] is True
    assert raw(endpoint, "GET", "/v2/models/flights/ready") == (200, {"name": "flights", "ready": True})
    assert raw(endpoint, "GET", "/v2")[1].keys() >= {"name", "version", "extensions"}
    status, metadata = raw(endpoint, "GET", "/v2/models/flights")
    assert (status, metadata["versions"]) == (200, [version])
    assert metadata["inputs"][0] == {"name": "plan", "datatype": "BYTES", "shape": [-1, 1]}  # type: ignore[index]
    assert raw(endpoint, "GET", "/v2/models/trains")[0] == 404


def test_each_arm_answers_what_its_own_package_predicts(packages: dict[str, Path], client: Client) -> None:
    for arm in ("stable", "candidate"):
        expected = ExportedModel.load(packages[arm]).predict(ROWS)["probability"]
        np.testing.assert_allclose(client.infer("flights", ROWS, arm=arm)["probability"], expected, rtol=1e-5)
        assert client.arm == arm


def test_grpc_answers_as_rest_does(endpoint: DeployedEndpoint, client: Client) -> None:
    with GrpcClient(endpoint.url, endpoint.token()) as grpc:
        assert grpc.live()
        assert grpc.ready("flights")
        assert grpc.metadata("flights") == client.metadata("flights")
        for arm in ("stable", "candidate"):
            one, other = (caller.infer("flights", SIGNATURE.sample, arm) for caller in (grpc, client))
            assert (one["probability"] == other["probability"]).all()
            assert grpc.arm == arm


def test_grpc_refuses_as_rest_does(endpoint: DeployedEndpoint) -> None:
    fewer = {name: values[:1] if name == "distance" else values for name, values in SIGNATURE.sample.items()}
    with GrpcClient(endpoint.url, endpoint.token()) as grpc:
        with pytest.raises(InferenceRefused, match="INVALID_ARGUMENT: The inputs differ in rows"):
            grpc.infer("flights", fewer)
        with pytest.raises(InferenceRefused, match="no such arm"):
            grpc.infer("flights", SIGNATURE.sample, "third")
    with GrpcClient(endpoint.url, "guess") as stranger, pytest.raises(InferenceRefused, match="UNAUTHENTICATED"):
        stranger.infer("flights", SIGNATURE.sample)
    with GrpcClient("http://127.0.0.1:1", "any", timeout_s=5) as nobody, pytest.raises(InferenceUnavailable):
        nobody.live()


def test_graphs_are_served_as_scripts(packages: dict[str, Path], endpoint: DeployedEndpoint) -> None:
    scripts = {file.parent for file in endpoint.folder.rglob("model.ts")}
    assert scripts == {file.parent for file in endpoint.folder.rglob("version")}
    assert len(scripts) == 2


def test_an_arm_that_is_not_there_does_not_answer(client: Client) -> None:
    with pytest.raises(InferenceRefused, match=r"404.*stable and candidate"):
        client.infer("flights", ROWS, arm="canary")


def test_a_request_keeps_its_id_and_gets_only_the_outputs_it_asks_for(endpoint: DeployedEndpoint) -> None:
    inputs = [
        {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": [1, *spec.shape[1:]],
            "data": SIGNATURE.sample[spec.name][0],
        }
        for spec in SIGNATURE.inputs
    ]
    body = json.dumps({"id": "r-17", "inputs": inputs, "outputs": [{"name": "probability"}]})
    status, answer = raw(endpoint, "POST", "/v2/models/flights/infer", body)
    assert (status, answer["id"], answer["model_name"]) == (200, "r-17", "flights")
    (output,) = answer["outputs"]  # type: ignore[misc]
    assert (output["name"], output["datatype"], output["shape"]) == ("probability", "FP32", [1, 1])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{", "JSON"),
        ("{}", "inputs"),
        ('{"inputs": [{"name": "plan"}]}', "distance"),
        ('{"inputs": [{"name": "plan", "shape": [2, 1], "datatype": "BYTES", "data": ["AA"]}]}', "plan"),
        ('{"inputs": [{"name": "plan", "shape": [1, 1], "datatype": "BYTES", "data": ["AA"]}]}', "distance"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(endpoint: DeployedEndpoint, body: str, told: str) -> None:
    status, answer = raw(endpoint, "POST", "/v2/models/flights/infer", body)
    assert status == 400
    assert told in str(answer["error"])


def request_body(rows: int = 1) -> bytes:
    values = {"plan": "AA", "distance": 100.25, "weather": 0.125}
    inputs = [
        {
            "name": spec.name,
            "datatype": spec.datatype,
            "shape": [rows, *spec.shape[1:]],
            "data": [values[spec.name]] * rows * spec.shape[1],
        }
        for spec in SIGNATURE.inputs
    ]
    return json.dumps({"inputs": inputs}).encode()


def post(endpoint: DeployedEndpoint, body: bytes, **headers: str) -> int:
    address = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    told = {"authorization": f"Bearer {endpoint.token()}", **headers}
    with contextlib.closing(connection):
        connection.request("POST", "/v2/models/flights/infer", body, told)
        return connection.getresponse().status


FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MALFORMED = {
    "null outputs": (200, request_body()[:-1] + b', "outputs": null}', {}),
    "outputs of words": (400, request_body()[:-1] + b', "outputs": ["probability"]}', {}),
    "null in a shape": (400, request_body().replace(b"[1, 1]", b"[null, 1]"), {}),
    "a list for a name": (400, request_body().replace(b'"plan"', b'["plan"]'), {}),
    "a number for a text": (400, request_body().replace(b'"AA"', b"7"), {}),
    "a number beyond float32": (400, request_body().replace(b"100.25", b"1e39"), {}),
    "deeply nested": (400, b'{"inputs": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", {}),
    "a broken form": (400, b"%ff=%&%%%", {"content-type": FORM}),
    "a form that is none": (200, request_body(), {"content-type": f"{FORM}; charset=none"}),
    "protobuf that is none": (200, request_body(), {"content-type": "application/x-protobuf"}),
    "an odd expectation": (200, request_body(), {"expect": "200-ok"}),
    "a mark of ours": (200, request_body(), {"x-seaway-request": "nonsense"}),
}


def test_malformed_requests_fail_none_that_is_sent_beside_them(endpoint: DeployedEndpoint) -> None:
    odd, before = list(MALFORMED.values()), server_errors(endpoint)

    def send(place: int) -> tuple[int, int]:
        expected, body, headers = odd[place // 20 % len(odd)] if place % 20 == 0 else (200, request_body(), {})
        return expected, post(endpoint, body, **{"content-type": JSON, **headers})

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(send, range(20 * 3 * len(odd))))
    assert [pair for pair in statuses if pair[0] != pair[1]] == []
    assert server_errors(endpoint) == before


def test_a_body_beyond_the_limit_is_refused_and_the_next_is_answered(
    endpoint: DeployedEndpoint, client: Client
) -> None:
    rows = {"plan": ["AA"], "distance": [1.0], "weather": [[0.125] * WEATHER]}
    many = {name: np.repeat(np.array(values, object), 100_000, axis=0) for name, values in rows.items()}
    before = server_errors(endpoint)
    for _ in range(2):
        with pytest.raises(InferenceRefused, match="413"):
            client.infer("flights", many)
        assert len(client.infer("flights", rows)["probability"]) == 1
    with GrpcClient(endpoint.url, endpoint.token()) as grpc, pytest.raises(InferenceRefused, match="send fewer rows"):
        grpc.infer(
            "flights", {name: np.repeat(np.array(values, object), 400_000, axis=0) for name, values in rows.items()}
        )
    assert server_errors(endpoint) == before


def test_clients_of_other_servers_go_on(endpoint: DeployedEndpoint, client: Client) -> None:
    sample = {name: values[0] for name, values in SIGNATURE.sample.items()}
    [[expected]] = client.infer("flights", {name: [values] for name, values in sample.items()})["probability"].tolist()
    status, answer = raw(endpoint, "POST", "/v1/models/flights:predict", json.dumps({"instances": [sample] * 2}))
    assert status == 200
    assert answer["predictions"] == [[pytest.approx(expected)]] * 2
    status, answer = raw(endpoint, "POST", "/predictions/flights", json.dumps(sample))
    assert (status, answer) == (200, [pytest.approx(expected)])
    for path in ("/v1/models/flights:predict", "/predictions/flights"):
        status, answer = raw(endpoint, "POST", path, "{}")
        assert (status, list(answer)) == (400, ["error"])
    assert raw(endpoint, "POST", "/predictions/trains", json.dumps(sample))[0] == 404


def test_the_open_inference_protocol_is_kept_whole(endpoint: DeployedEndpoint, server: str) -> None:
    before = server_errors(endpoint)
    target = conformance.Target(endpoint.url, "flights", endpoint.token(), connections=1000)
    with many_files():
        outcomes = list(conformance.run(target))
    assert [one for one in outcomes if one.state != "ok"] == []
    assert len(outcomes) >= 18
    assert server_errors(endpoint) == before


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """As many open files as a thousand sockets need."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def server_errors(endpoint: DeployedEndpoint) -> dict[str, int]:
    return {arm: counts.errors for arm, counts in EnvoyMetrics().read(endpoint).items()}


def test_no_path_answers_without_the_token(endpoint: DeployedEndpoint) -> None:
    for token in ("", "wrong", endpoint.token()[:-1]):
        with Client(endpoint.url, token) as stranger, pytest.raises(InferenceRefused, match="401"):
            stranger.live()
    for arm in endpoint.arms.values():
        status, _ = unix_http.request(endpoint.sockets / f"{arm.cluster}.sock", "GET", "/v2/models/flights/infer")  # type: ignore[operator]
        assert status in (400, 401, 403)


def test_tokens_are_readable_by_their_owner_only_and_in_no_log_or_argument(endpoint: DeployedEndpoint) -> None:
    keys = [file for name in ("key_file.json", "key") for file in endpoint.folder.glob(f"*/{name}")]
    files = [endpoint.token_file, *keys, endpoint.folder / "envoy" / "routes.json"]
    assert len(files) == 4
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    secrets = [endpoint.token(), *(secret for file in keys for secret in secrets_of(file))]
    told = "".join(log.read_text() for log in endpoint.folder.rglob("*.log"))
    told += "".join(" ".join(psutil.Process(d.pid).cmdline()) for d in processes.find(endpoint.folder))
    assert not [secret for secret in secrets if secret in told]


def secrets_of(file: Path) -> list[str]:
    """The keys that a server's key file holds."""
    text = file.read_text()
    return [key["key"] for key in json.loads(text).values()] if file.suffix == ".json" else [text]


def test_everything_listens_on_loopback_only(endpoint: DeployedEndpoint) -> None:
    members = {d.pid for d in processes.find(endpoint.folder)}
    members |= {child.pid for pid in members for child in psutil.Process(pid).children(recursive=True)}
    listening = [c for c in psutil.net_connections() if c.pid in members and c.status == psutil.CONN_LISTEN]
    assert listening
    assert {c.laddr.ip.removeprefix("::ffff:") for c in listening} == {"127.0.0.1"}


def test_weights_are_in_force_when_they_are_said_to_be(endpoint: DeployedEndpoint, client: Client) -> None:
    traffic = EnvoyTraffic()
    for weights, expected in (
        ({"stable": 0, "candidate": 100}, "candidate"),
        ({"stable": 100, "candidate": 0}, "stable"),
    ):
        traffic.set_weights(endpoint, weights)
        assert traffic.weights(endpoint) == weights
        for _ in range(20):
            client.infer("flights", ROWS)
            assert client.arm == expected
    traffic.set_weights(endpoint, {"stable": 50, "candidate": 50})
    arms = [client.infer("flights", ROWS) and client.arm for _ in range(200)]
    assert 60 < arms.count("candidate") < 140  # 50 %: beyond five standard deviations
    traffic.set_weights(endpoint, {"stable": 100})


def test_a_shadow_gets_copies_that_it_answers_to_nobody(endpoint: DeployedEndpoint, client: Client) -> None:
    traffic, metrics = EnvoyTraffic(), EnvoyMetrics()
    before = metrics.read(endpoint)
    traffic.mirror(endpoint, 100)
    for _ in range(20):
        client.infer("flights", ROWS)
        assert client.arm == "stable"
    while (seen := metrics.read(endpoint)["candidate"] - before["candidate"]).requests < 20:
        time.sleep(0.05)
    assert (seen.requests, seen.errors) == (20, 0)
    assert refused(endpoint, "candidate") == 0
    traffic.set_weights(endpoint, {"stable": 100})
    client.infer("flights", ROWS)
    assert (metrics.read(endpoint)["candidate"] - before["candidate"]).requests == 20


def refused(endpoint: DeployedEndpoint, arm: str) -> int:
    """Requests that the arm's server has refused (4xx) so far."""
    target = f"/stats?format=json&filter=^cluster\\.{endpoint.arms[arm].cluster}\\.upstream_rq_4xx$"
    stats = unix_http.get_json(envoy.admin_socket(endpoint), target)["stats"]
    return sum(stat["value"] for stat in stats)


@pytest.mark.parametrize("weights", [{"stable": 50}, {"stable": 50, "canary": 50}, {"stable": 150, "candidate": -50}])
def test_impossible_weights_change_nothing(endpoint: DeployedEndpoint, weights: dict[str, int]) -> None:
    traffic = EnvoyTraffic()
    before = traffic.weights(endpoint)
    with pytest.raises(TrafficFailed):
        traffic.set_weights(endpoint, weights)
    assert traffic.weights(endpoint) == before


def test_counts_are_of_inference_requests_by_the_arm_that_answered(endpoint: DeployedEndpoint, client: Client) -> None:
    metrics = EnvoyMetrics()
    before = metrics.read(endpoint)
    for arm, count in (("stable", 7), ("candidate", 5)):
        for _ in range(count):
            client.infer("flights", ROWS, arm=arm)
        client.ready("flights")
    after = metrics.read(endpoint)
    assert {arm: (after[arm] - before[arm]).requests for arm in after} == {"stable": 7, "candidate": 5}
    assert (after["stable"] - before["stable"]).errors == 0
    while sum((metrics.read(endpoint)[arm] - before[arm]).latency[float("inf")] for arm in after) < 12:
        time.sleep(0.05)  # Envoy merges histograms five times a second


def test_the_same_packages_are_not_started_twice(packages: dict[str, Path], endpoint: DeployedEndpoint) -> None:
    again = LocalEndpoint().deploy(EndpointSpec("flights", "r1", packages["stable"], packages["candidate"]))
    assert again == endpoint


def test_a_package_of_another_signer_never_reaches_a_server(packages: dict[str, Path], tmp_path: Path) -> None:
    foreign = small_package(tmp_path / "foreign", tmp_path / "other-home")
    with pytest.raises(PackageRefused):
        LocalEndpoint().deploy(EndpointSpec("refused", "r1", foreign))
    assert processes.find(packages["home"] / "endpoints" / "refused-r1") == []


def test_a_taken_port_is_told_and_leaves_nothing_running(packages: dict[str, Path]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken, match=str(os.getpid())):
            LocalEndpoint().deploy(EndpointSpec("taken", "r1", packages["stable"], port=taken.getsockname()[1]))
    assert processes.find(packages["home"] / "endpoints" / "taken-r1") == []


def test_a_port_that_is_taken_after_it_was_found_free_is_not_shared(
    packages: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = DeployedEndpoint(
        "raced", "r1", tmp_path / "e", "", tmp_path, {"stable": Arm("v", str(tmp_path), "model-1")}
    )
    endpoint.folder.mkdir()
    endpoint.token_file.write_text("token")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as another Envoy would share it
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        def found_free(asked: int) -> None:
            taken.listen()
            monkeypatch.setattr(envoy, "require_free", require_free)

        monkeypatch.setattr(envoy, "require_free", found_free)
        try:
            with pytest.raises(PortTaken, match=str(port)):
                envoy.start(endpoint, {"model-1": "key"}, port)
        finally:
            processes.stop(endpoint.folder)


def test_a_kept_script_whose_bytes_have_changed_is_made_anew(packages: dict[str, Path], tmp_path: Path) -> None:
    script = kept_script(packages["stable"], tmp_path)
    assert script
    with script.open("ab") as stream:
        stream.write(b"PK")
    changed = sha256(script)
    assert kept_script(packages["stable"], tmp_path) == script
    assert sha256(script) != changed
    assert script.with_name(f"{script.name}.sha256").read_text() == sha256(script)


def test_a_killed_deployment_leaves_nothing_that_remove_does_not_end(packages: dict[str, Path]) -> None:
    script = (
        "import sys, pathlib\n"
        "from seaway.platforms.local.serving.endpoint import LocalEndpoint\n"
        "from seaway.serving import EndpointSpec\n"
        "LocalEndpoint().deploy(EndpointSpec('killed', 'r1', pathlib.Path(sys.argv[1])))\n"
    )
    folder = packages["home"] / "endpoints" / "killed-r1"
    deployment = subprocess.Popen([sys.executable, "-c", script, str(packages["stable"])])
    while not (started := processes.find(folder)):
        assert deployment.poll() is None
        time.sleep(0.05)
    deployment.kill()
    deployment.wait()
    endpoints = LocalEndpoint()
    assert "killed" in {endpoint.name for endpoint in endpoints.list()}
    endpoints.remove("killed", "r1")
    assert not any(daemon.running() for daemon in started)
    assert not folder.exists()


# The last tests end the endpoint of this module, arm by arm.


def test_a_promotion_under_load_fails_no_request(packages: dict[str, Path], endpoint: DeployedEndpoint) -> None:
    EnvoyTraffic().set_weights(endpoint, {"stable": 50, "candidate": 50})
    old = next(d for d in processes.find(endpoint.folder) if d.name == endpoint.arms["stable"].cluster)
    done, answered = threading.Event(), []

    def load() -> None:
        with Client(endpoint.url, endpoint.token()) as client:
            while not done.is_set():
                answered.append(client.infer("flights", ROWS)["probability"])

    threads = [threading.Thread(target=load) for _ in range(4)]
    failures: list[threading.ExceptHookArgs] = []
    hook, threading.excepthook = threading.excepthook, failures.append
    for thread in threads:
        thread.start()
    promoted = LocalEndpoint().promote("flights", "r1")
    done.set()
    for thread in threads:
        thread.join()
    threading.excepthook = hook
    assert failures == []
    assert len(answered) > 4
    assert not old.running()
    assert promoted.arms["stable"].version == endpoint.arms["candidate"].version
    expected = ExportedModel.load(packages["candidate"]).predict(ROWS)["probability"]
    with Client(promoted.url, promoted.token()) as client:
        np.testing.assert_allclose(client.infer("flights", ROWS)["probability"], expected, rtol=1e-5)
        assert client.arm == "stable"
        with pytest.raises(InferenceRefused, match=r"404.*no such arm"):
            client.infer("flights", ROWS, arm="candidate")
    for again in (LocalEndpoint().promote, LocalEndpoint().roll_back):
        assert again("flights", "r1") == promoted


def test_a_dead_server_is_no_answer_and_counts_as_errors(endpoint: DeployedEndpoint, client: Client) -> None:
    client.infer("flights", ROWS)
    before = EnvoyMetrics().read(endpoint)["stable"]
    processes.stop(endpoint.folder, DeployedEndpoint.read(endpoint.folder / "endpoint.json").arms["stable"].cluster)
    with pytest.raises(InferenceUnavailable, match="503"):
        client.infer("flights", ROWS)
    assert not client.ready("flights")
    assert (EnvoyMetrics().read(endpoint)["stable"] - before).errors == 1


def test_metrics_of_a_removed_endpoint_are_unavailable(endpoint: DeployedEndpoint) -> None:
    LocalEndpoint().remove("flights", "r1")
    assert processes.find(endpoint.folder) == []
    assert not endpoint.folder.exists()
    with pytest.raises(MetricsUnavailable):
        EnvoyMetrics().read(endpoint)
    with pytest.raises(TrafficFailed):
        EnvoyTraffic().weights(endpoint)


def run_together(calls: list[object]) -> None:
    threads = [threading.Thread(target=call) for call in calls]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
