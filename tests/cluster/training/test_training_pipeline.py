"""`seaway run --platform kubernetes`: steps here, training in pods."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from installed import require_controller
from kubernetes import client, dynamic
from pipeline_runs import Run
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainResult, TrainSpec
from seaway_pipelines.flights.model import COLUMNS, DEEP

pytestmark = pytest.mark.timeout(1200)
TRAINING_ONLY = Path(__file__).with_name("flights_training.py")  # a pipeline that ends with the network
TOLERANCE = 1e-4  # nats; the addends of the workers are summed in an order that processes do not share
ROLES = {"pytorchjob": ("master-0", "worker-0", "worker-1"), "trainjob": ("node-0-0", "node-0-1", "node-0-2")}
ENDLESS = 100_000  # epochs


def run_of(home: Path, **parameters: object) -> Run:
    return Run(home, str(TRAINING_ONLY), {"endpoint": "process"}, **parameters)


@pytest.fixture(autouse=True)
def settings(
    training_environment: str, placement: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster's placement in a file, as a user names it."""
    file = tmp_path / "placement.json"
    file.write_text(json.dumps(placement))
    monkeypatch.setenv("SEAWAY_PLACEMENT", str(file))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that later runs take the steps before the training from the cache."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("resource", [pytorchjob.RESOURCE, trainjob.RESOURCE], ids=["pytorchjob", "trainjob"])
def test_the_flights_network_trained_in_pods_is_that_of_a_laptop(
    resource: Resource, cluster: dynamic.DynamicClient, home: Path
) -> None:
    require_controller(cluster, resource)
    backend = resource.kind.lower()
    run = run_of(home, months=1, rows=20_000, epochs=2, workers=3, backend=backend)
    code, output = run.end()
    assert code == 0, output
    assert all(f"-{role}" in run.logs() for role in ROLES[backend]), "the pods were not heard"
    here = TrainSpec(
        run.artifact("get-training-examples/train"),
        run.artifact("get-training-examples/validation"),
        home / "laptop",
        home / "checkpoints",
        params={**COLUMNS, **DEEP, "epochs": 2},
        workers=3,
    )
    in_pods = TrainResult.read(run.artifact("train-pytorch/model"))
    assert losses(in_pods) == pytest.approx(losses(TorchrunTrainer().train(here)), abs=TOLERANCE)


def losses(result: TrainResult) -> list[float]:
    return [entry["validation_loss"] for entry in result.history]


def test_sigterm_leaves_neither_job_nor_pods(cluster: dynamic.DynamicClient, place: str, home: Path) -> None:
    require_controller(cluster, pytorchjob.RESOURCE)
    run = run_of(home, months=1, rows=20_000, epochs=ENDLESS, workers=2, backend="pytorchjob")
    try:
        run.await_log(f"epoch 1/{ENDLESS}")
        assert pods(cluster, place), "their label is another one"
    finally:
        run.process.send_signal(signal.SIGTERM)
        code, output = run.end()
    assert code == 128 + signal.SIGTERM, output
    assert pods(cluster, place) == []
    jobs = cluster.resources.get(api_version=pytorchjob.RESOURCE.api_version, kind=pytorchjob.RESOURCE.kind)
    assert all(job.status.completionTime for job in jobs.get(namespace=place).items), "a job still runs"


def pods(cluster: dynamic.DynamicClient, place: str) -> list[str]:
    """The pods of trainings that have not ended."""
    found = client.CoreV1Api(cluster.client).list_namespaced_pod(
        place, label_selector="app.kubernetes.io/component=training"
    )
    return [pod.metadata.name for pod in found.items if pod.status.phase in ("Pending", "Running")]
