"""A request by keys is answered as the whole row would be; a store that is late costs what was said, and no more."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import online_store
import pytest
import seaway_runs
from online_store import ROWS, WEATHER
from seaway.errors import FeaturesUnavailable, InvalidSpec
from seaway.features import OnlineFeatures
from seaway.model_server.transformer.application import STATED, Transformer, Upstream
from seaway.model_server.transformer.form import Form
from seaway.model_server.transformer.lookup import MISSING, REFUSE, Lookup, Patience
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import Client, DeployedEndpoint, EndpointSpec
from seaway.serving.feature_log import read_log
from small_package import small_package
from starlette.testclient import TestClient

PLANS = ["AA", "ZZ", "DL", "UA"]
SHOPS = ["a", "b", "nobody", "old"]
DISTANCE = [100.0, 250.5, None, None]
WEATHERS = [ROWS["site"]["weather"][0], ROWS["site"]["weather"][1], [None] * WEATHER, [None] * WEATHER]
KEYED = {"shop": SHOPS, "plan": PLANS}
PATH = "/v2/models/small"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_HOME", str(home))
    environment.setenv("SEAWAY_SERVED", str(home / "served"))
    environment.delenv("SEAWAY_MODEL_SERVER", raising=False)
    online_store.repository(home / "store")
    yield home
    environment.undo()


@pytest.fixture(scope="module")
def endpoint(home: Path) -> Iterator[DeployedEndpoint]:
    packages = [small_package(home / f"package-{bias}", home, bias=bias) for bias in (0.0, 1.0)]
    yield LocalEndpoint().deploy(EndpointSpec("small", "r1", *packages))
    LocalEndpoint().remove("small", "r1")


class Stuck:
    """Features whose store answers once it is let go, or fails."""

    def __init__(self, features: OnlineFeatures) -> None:
        self._features, self.free, self.broken, self.asked = features, threading.Event(), False, 0
        self.keys, self.features = features.keys, features.features

    def read(self, keys: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
        self.asked += 1
        self.free.wait(60)
        if self.broken:
            raise FeaturesUnavailable("The online store is down.")
        return self._features.read(keys)


Started = Callable[..., TestClient]


@pytest.fixture
def started(home: Path, endpoint: DeployedEndpoint) -> Iterator[Started]:
    clients = list[TestClient]()

    def start(features: Any = None, deadline_s: float = 30.0, fallback: str = REFUSE, url: str = "") -> TestClient:
        upstream = Upstream(url or endpoint.url, "small", endpoint.tokens)
        lookup = Lookup(lambda: features or OnlineFeatures(home / "store", "site"), Patience(deadline_s, fallback))
        with Client(endpoint.url, endpoint.token()) as client:
            form = Form(client.metadata("small"), lookup.keys, lookup.features)
        client = TestClient(Transformer(upstream, lookup, form).application)
        client.headers["authorization"] = f"Bearer {endpoint.token()}"
        clients.append(client.__enter__())
        return clients[-1]

    yield start
    for client in clients:
        client.__exit__(None, None, None)


def body(**columns: Sequence[Any]) -> dict[str, Any]:
    tensors = [{"name": name, "datatype": "BYTES", "shape": [len(values), 1], "data": list(values)}
               for name, values in columns.items()]  # fmt: skip
    return {"id": "r-1", "inputs": tensors}


def whole(
    endpoint: DeployedEndpoint, distance: Sequence[Any] = DISTANCE, weather: Sequence[Any] = WEATHERS
) -> list[Any]:
    columns = {"plan": PLANS, "distance": list(distance), "weather": list(weather)}
    with Client(endpoint.url, endpoint.token()) as client:
        return client.infer("small", columns, arm="stable")["probability"].ravel().tolist()


def test_a_request_by_keys_is_answered_as_the_whole_row_is(endpoint: DeployedEndpoint, started: Started) -> None:
    answer = started().post(f"{PATH}/infer", json=body(**KEYED), headers={"x-seaway-arm": "stable"})
    assert answer.status_code == 200
    assert answer.json()["outputs"][0]["data"] == whole(endpoint)
    assert answer.json()["id"] == "r-1"
    assert (answer.headers[STATED], answer.headers["x-seaway-arm"]) == ("found", "stable")


def test_metadata_ask_for_keys_and_for_what_only_the_caller_knows(started: Started) -> None:
    client = started()
    told = client.get(PATH).json()
    assert {(spec["name"], spec["datatype"]) for spec in told["inputs"]} == {("shop", "BYTES"), ("plan", "BYTES")}
    assert [spec["name"] for spec in told["outputs"]] == ["probability"]
    assert client.get(f"{PATH}/ready").json()["ready"]
    assert client.get("/v2/health/live").json() == {"live": True}


@pytest.mark.parametrize("broken", [False, True])
def test_a_store_that_is_late_or_fails_costs_what_was_said(
    home: Path, endpoint: DeployedEndpoint, started: Started, broken: bool
) -> None:
    stuck = Stuck(OnlineFeatures(home / "store", "site"))
    stuck.broken = broken
    if broken:
        stuck.free.set()
    refusing, missing = started(stuck, 0.2), started(stuck, 0.2, MISSING)
    refused = refusing.post(f"{PATH}/infer", json=body(**KEYED))
    assert (refused.status_code, "online store" in refused.json()["error"]) == (503, True)
    answer = missing.post(f"{PATH}/infer", json=body(**KEYED), headers={"x-seaway-arm": "stable"})
    assert (answer.status_code, answer.headers[STATED]) == (200, MISSING)
    assert answer.json()["outputs"][0]["data"] == whole(endpoint, [None] * 4, [[None] * WEATHER] * 4)
    stuck.broken = False
    stuck.free.set()
    while (answer := missing.post(f"{PATH}/infer", json=body(**KEYED))).headers[STATED] == MISSING:
        pass  # what hung before is answered first
    assert answer.headers[STATED] == "found"
    counted = missing.get("/metrics").text
    assert re.search(r'seaway_lookups_total\{outcome="missing"\} [1-9]', counted)
    assert re.search(r'seaway_lookups_total\{outcome="refused"\} [1-9]', refusing.get("/metrics").text)


def test_strangers_are_looked_up_nothing(home: Path, started: Started) -> None:
    stuck = Stuck(OnlineFeatures(home / "store", "site"))
    client = started(stuck)
    for path in (PATH, f"{PATH}/ready", "/metrics", "/v2/health/live"):
        assert client.get(path, headers={"authorization": "Bearer guess"}).status_code == 401
    refused = client.post(f"{PATH}/infer", json=body(**KEYED), headers={"authorization": "Bearer guess"})
    assert refused.status_code == 401
    stuck.free.set()
    assert stuck.asked == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (body(plan=PLANS), "missing: ['shop']"),
        (body(**KEYED, distance=["1"] * 4), "distance are looked up"),
        (body(shop=["a"], plan=PLANS), "differ in rows"),
        (body(shop=SHOPS), "missing: ['plan']"),
        (body(**KEYED, other=SHOPS), "unknown: ['other']"),
        ({"inputs": [{"name": "shop", "datatype": "BYTES", "shape": [1, 1], "data": [7]}]}, "cannot hold int"),
        ({"inputs": [1, None, {}, {"name": ["shop"]}]}, "missing: ['shop']"),
        ({"inputs": [*body(**KEYED)["inputs"], {"name": ["shop"]}]}, "no object with a text 'name'"),
        ({"inputs": "shop"}, "missing: ['shop']"),
        ([], "missing: ['shop']"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(started: Started, wrong: Any, told: str) -> None:
    answer = started().post(f"{PATH}/infer", json=wrong)
    assert (answer.status_code, told in answer.json()["error"]) == (400, True), answer.text


def test_what_is_no_json_or_too_large_is_refused(started: Started) -> None:
    client = started()
    for content in (b"{", b"[" * 100_000, b""):
        assert client.post(f"{PATH}/infer", content=content).status_code == 400
    assert client.post(f"{PATH}/infer", content=b" " * 7_000_000).status_code == 413
    binary = {"inference-header-content-length": "2"}
    assert client.post(f"{PATH}/infer", content=b"{}", headers=binary).status_code == 400
    assert client.get(f"{PATH}/infer").status_code == 405


def test_an_endpoint_that_is_gone_is_a_bad_gateway(started: Started) -> None:
    answer = started(url="http://127.0.0.1:9").post(f"{PATH}/infer", json=body(**KEYED))
    assert (answer.status_code, "does not answer" in answer.json()["error"]) == (502, True)


def test_a_model_that_takes_none_of_the_features_is_told(home: Path, endpoint: DeployedEndpoint) -> None:
    with Client(endpoint.url, endpoint.token()) as client:
        metadata = client.metadata("small")
    with pytest.raises(InvalidSpec, match=r"takes none of the features \['other'\]"):
        Form(metadata, {"shop": "BYTES"}, ["other"])
    with pytest.raises(InvalidSpec, match="no key to send"):
        Form(metadata, {}, ["distance"])
    with pytest.raises(InvalidSpec, match="fallback 'none'"):
        Patience(0.1, "none")
    with pytest.raises(InvalidSpec, match="positive"):
        Patience(0.0)


def test_a_later_model_of_other_inputs_is_asked_as_it_wants(home: Path, endpoint: DeployedEndpoint) -> None:
    """The form is the model's, which a rollout may replace."""
    lookup = Lookup(lambda: OnlineFeatures(home / "store", "site"), Patience(30.0))
    metadata = {"name": "small", "inputs": [{"name": "distance", "datatype": "FP32", "shape": [-1, 1]}], "outputs": []}
    transformer = Transformer(
        Upstream(endpoint.url, "small", endpoint.tokens), lookup, Form(metadata, lookup.keys, lookup.features)
    )
    with TestClient(transformer.application, headers={"authorization": f"Bearer {endpoint.token()}"}) as client:
        answers = [client.post(f"{PATH}/infer", json=body(**KEYED)).status_code for _ in range(2)]
    assert answers == [400, 200]


def test_the_command_serves_until_it_is_told_to_end_and_what_was_looked_up_is_logged(
    home: Path, endpoint: DeployedEndpoint
) -> None:
    command = [str(seaway_runs.SEAWAY), "serve-features", "small", str(home / "store"), "--service", "site",
               "--deadline-ms", "30000"]  # fmt: skip
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        told = process.stdout.readline()
        assert told.startswith("small takes shop at http://127.0.0.1:"), told
        url = re.findall(r"http://\S+(?=,)", told)[0]
        with Client(url, endpoint.token()) as client:
            for number, shop in enumerate(["a", "b"]):
                found = client.infer("small", {"shop": [shop], "plan": ["AA"]}, "stable", f"logged-{number}")
                assert found["probability"].shape == (1, 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)
    LocalEndpoint().roll_back("small", "r1")
    LocalEndpoint().remove("small", "r1")  # which has its servers write their logs
    rows = read_log(str(home / "served" / "small")).set_index("id")
    assert rows.loc["logged-0", "distance"] == 100.0
    assert rows.loc["logged-1", "weather"].tolist() == [0.5] * WEATHER
