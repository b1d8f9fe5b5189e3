"""The flights pipeline on a cluster, to a promoted canary; then bad releases of its network, and a killed controller.

Steps run here; trainings, model servers, traffic, its counts and the rollout's journal are the cluster's.
"""

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import edge
import endpoints
import pytest
import releases
from faulty_models import released
from installed import require_controller
from kubernetes import dynamic
from object_store_pod import StoreInCluster
from pipeline_runs import Run
from releases import WEIGHTS, Release
from seaway.errors import TrafficFailed
from seaway.platforms.kubernetes.client.connection import connect
from seaway.platforms.kubernetes.client.naming import ENDPOINT
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS
from seaway.platforms.kubernetes.serving import deployment
from seaway.platforms.kubernetes.training import pytorchjob
from seaway.platforms.mlflow import MlflowRegistry
from seaway.platforms.place import taken
from seaway.rollout import Decision
from seaway.serving import DeployedEndpoint, find

import images

pytestmark = pytest.mark.timeout(1200)
NAME = "flights"
STEPS, REQUESTS = [0, 10, 50, 100], [160, 400, 800, 200]  # first a shadow
BACKENDS = {"endpoint": "deployment", "traffic_metrics": "gateway", "tuner": "optuna"}
ROLES = {"trainjob": ("node-0-0", "node-0-1"), "pytorchjob": ("master-0", "worker-0")}
WEIGHTS_ROUTE = "seaway-weights"
LOOK_S = 0.02
PATIENCE_S = 300
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def settings(
    cluster: dynamic.DynamicClient, place: str, store: StoreInCluster, placement: dict[str, Any], home: Path
) -> Iterator[None]:
    """What a user exports once, and a gateway that takes the endpoint's host."""
    edge.require_gateway(cluster)
    require_controller(cluster, pytorchjob.RESOURCE)
    Objects(replace(connect(), namespace=place)).create(edge.GATEWAYS, edge.istio_gateway(place, f"{NAME}.{place}"))
    files = {"SEAWAY_PLACEMENT": placement, "SEAWAY_HOSTING": endpoints.hosting(images.server_image(), store)}
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in files.items():
            file = home / f"{variable.lower()}.json"
            file.write_text(json.dumps(value))
            patch.setenv(variable, str(file))
        named = {
            "SEAWAY_PLATFORM": "kubernetes",
            "SEAWAY_NAMESPACE": place,
            "SEAWAY_TRAINER_IMAGE": images.trainer_image(),
            "SEAWAY_GATEWAY": f"{place}/edge",
            "SEAWAY_GATEWAY_URL": edge.URL,
            "SEAWAY_GATEWAY_ADMIN": edge.ADMIN,
            "SEAWAY_GATEWAY_STATS": edge.STATS,
            **{f"SEAWAY_{port.upper()}": name for port, name in BACKENDS.items()},
            **endpoints.environment(store, home),
        }
        for variable, value in named.items():
            patch.setenv(variable, value)
        yield


@pytest.fixture(scope="module")
def pipeline(settings: None, home: Path) -> Run:
    """One whole run, two months small; in charge afterwards is the network, or what the judge has left."""
    steps = {"weights": json.dumps(STEPS), "requests": json.dumps(REQUESTS)}
    run = Run(home, NAME, BACKENDS, months="1,2", epochs=8, tune_trials=0, **steps)
    code, output = run.end()
    assert code == 0, output
    return run


def test_one_command_takes_raw_flights_to_a_canary_that_is_promoted_on_the_cluster(pipeline: Run, place: str) -> None:
    rollout = json.loads(pipeline.artifact("roll-out/rollout/rollout.json").read_text())
    assert rollout["decision"] == Decision.PROMOTE, rollout["reason"]
    assert {tick["weights"]["candidate"] for tick in rollout["ticks"]} == set(STEPS)
    served = DeployedEndpoint.read(pipeline.artifact("deploy-endpoint/endpoint/endpoint.json"))
    assert split(served, place) == {"stable": 100, "candidate": 0}
    assert version_that_answers(served) == rollout["arms"]["candidate"]
    assert all(f"-{role}" in pipeline.logs() for role in ROLES[taken("Trainer")]), "the pods were not heard"


@pytest.fixture
def release(pipeline: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """A run of its own that brings the model in charge, and as the candidate what a test makes of it."""
    monkeypatch.setenv("SEAWAY_RUN_ID", tmp_path.name)
    network, replay = (
        str(pipeline.artifact(path)) for path in ("package-model/package", "get-training-examples/replay")
    )
    return Release(str(tmp_path), NAME, network, network, replay, version="none")


@pytest.mark.parametrize(("fault", "evidence"), [("failing", "errors"), ("slow", "latency"), ("worse", "quality")])
def test_a_bad_release_of_the_network_is_rolled_back(
    release: Release, place: str, home: Path, fault: str, evidence: str
) -> None:
    bad = released(Path(release.stable), fault, Path(release.folder), home)
    release = replace(release, candidate=str(bad))
    endpoint = release.deploy()
    with watched(endpoint, place) as seen:
        rollout = release.roll_out()
    assert rollout["decision"] == Decision.ROLLBACK, rollout["reason"]
    assert evidence in rollout["reason"].lower()
    assert split(endpoint, place) == {"stable": 100, "candidate": 0}
    assert version_that_answers(endpoint) == rollout["arms"]["stable"]
    looked = rollout["ticks"][-1]["time"]
    back = next(time for time, candidate in seen if time > looked and not candidate)
    log.info("%s: %d looks, on stable %.2f s after the evidence", fault, len(rollout["ticks"]), back - looked)


def test_a_controller_that_is_killed_at_each_step_ends_with_the_right_model_in_charge(
    release: Release, place: str, home: Path
) -> None:
    equal = released(Path(release.stable), "equal", Path(release.folder), home)
    release = replace(release, candidate=str(equal), version=MlflowRegistry().register(NAME, equal))
    endpoint = release.deploy()
    for weight in WEIGHTS:
        kill(release, until=lambda weight=weight: split(endpoint, place)["candidate"] == weight)
        assert split(endpoint, place)["candidate"] == weight
    kill(release, until=lambda: len(find(deployment.endpoint(), NAME, endpoint.run).arms) == 1)
    rollout = release.roll_out()
    assert rollout["decision"] == Decision.PROMOTE, rollout["reason"]
    new = rollout["arms"]["candidate"]
    assert version_that_answers(endpoint) == new
    left = Objects(replace(connect(), namespace=place)).list(DEPLOYMENTS, {"labelSelector": f"{ENDPOINT}={NAME}"})
    assert [one["metadata"]["name"] for one in left.items] == [f"{NAME}-{new}"]
    production = MlflowRegistry().production(NAME)
    assert production
    assert production.version == release.version


def split(endpoint: DeployedEndpoint, place: str) -> dict[str, int]:
    """As the gateway's Envoy has it."""
    return edge.gateway(place).split(endpoint, place, WEIGHTS_ROUTE)


@contextmanager
def watched(endpoint: DeployedEndpoint, place: str) -> Iterator[list[tuple[float, int]]]:
    """When (seconds since 1970) the gateway's Envoy gave how much to the candidate, until the block ends."""
    seen, ended = list[tuple[float, int]](), threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_S):
            with suppress(TrafficFailed):  # no route leads to the candidate once it has gone
                seen.append((time.time(), split(endpoint, place)["candidate"]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def version_that_answers(endpoint: DeployedEndpoint) -> str:
    asked = {"host": endpoint.host, "authorization": f"Bearer {endpoint.token()}"}
    return edge.fetch(f"{endpoint.url}/v2/models/{NAME}", 30.0, asked).headers["x-seaway-version"]


def kill(release: Release, until: Callable[[], bool]) -> None:
    """Start the rollout's process, and end it by SIGKILL once that is so."""
    deadline = time.monotonic() + PATIENCE_S
    with subprocess.Popen([sys.executable, str(Path(releases.__file__)), str(release.write())]) as controller:
        try:
            while not until():
                assert controller.poll() is None, release.told()["reason"]
                assert time.monotonic() < deadline
                time.sleep(LOOK_S)
        finally:
            controller.kill()
