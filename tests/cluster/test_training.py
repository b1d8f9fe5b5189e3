"""The flights trainer in pods of a real cluster: equal to a laptop's, live, and through the loss of a pod."""

import dataclasses
import json
import logging
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kubernetes import client, dynamic
from object_store_pod import BUCKET, SECRET, StoreInCluster, object_store
from seaway.errors import TrainingFailed
from seaway.platforms.kubernetes import pytorchjob, trainjob
from seaway.platforms.kubernetes.resources import Resource
from seaway.platforms.kubernetes.training import PyTorchJobTrainer, TrainJobTrainer, remote
from seaway.platforms.local.torchrun import TorchrunTrainer
from seaway.storage import storage_for
from seaway.training import Trainer, TrainResult, TrainSpec
from seaway.training.fingerprint import fingerprint
from seaway_pipelines.flights.pipeline import COLUMNS, DEEP

import images

pytestmark = pytest.mark.timeout(1200)
ENFORCE = "pod-security.kubernetes.io/enforce"
POLICY = Path(__file__).parents[2] / "manifests" / "training"
TRAINING_ONLY = Path(__file__).parent / "flights_training.py"  # a pipeline that ends with the network
EPOCHS = 6
TOLERANCE = 1e-4  # nats; three addends are summed in an order that a restart changes


@pytest.fixture(scope="module")
def place(cluster: dynamic.DynamicClient) -> Iterator[str]:
    """A namespace that enforces Pod Security `restricted`, in which masters and their workers may be."""
    name = f"seaway-test-{secrets.token_hex(4)}"
    core = client.CoreV1Api(cluster.client)
    core.create_namespace({"metadata": {"name": name, "labels": {ENFORCE: "restricted"}}})
    applied = subprocess.run(["kubectl", "apply", "-k", POLICY], capture_output=True, text=True, check=False)
    if applied.returncode:
        core.delete_namespace(name)
        pytest.skip(f"a mutating admission policy is needed and cannot be applied here: {applied.stderr}")
    yield name
    core.delete_namespace(name)
    if " created" in applied.stdout:
        subprocess.run(["kubectl", "delete", "-k", POLICY], capture_output=True, check=True)


@pytest.fixture(scope="module")
def store(cluster: dynamic.DynamicClient, place: str) -> Iterator[StoreInCluster]:
    with object_store(cluster.client, place) as store:
        yield store


@pytest.fixture(scope="module")
def trainer_image(cluster: dynamic.DynamicClient) -> str:
    return images.trainer_image()


@pytest.fixture(autouse=True)
def environment(place: str, store: StoreInCluster, trainer_image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user exports once, and a run of its own."""
    run = {"SEAWAY_RUN_ID": f"run-{secrets.token_hex(4)}", "SEAWAY_NAMESPACE": place}
    named = {"SEAWAY_STORAGE": f"s3://{BUCKET}/{run['SEAWAY_RUN_ID']}", "SEAWAY_TRAINER_IMAGE": trainer_image}
    for name, value in {**store.environment, **run, **named}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def spec(store: StoreInCluster, tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    folder = tmp_path_factory.mktemp("training")
    random = np.random.default_rng(0)
    for name, count in (("train", 20_001), ("validation", 1_003)):
        wind, origin = random.normal(size=count).astype(np.float32), random.integers(0, 3, count)
        late = (wind * (origin - 1) + 0.3 * random.normal(size=count) > 0).astype(np.int8)
        table = {"wind": wind, "origin": np.array(["EWR", "JFK", "LGA"])[origin], "late": late}
        pd.DataFrame(table).to_parquet(folder / f"{name}.parquet")
    return TrainSpec(
        folder / "train.parquet",
        folder / "validation.parquet",
        folder / "laptop",
        folder / "checkpoints",
        params={"numeric": ["wind"], "categorical": ["origin"], "epochs": EPOCHS, "patience": EPOCHS, "batch_size": 64},
        workers=3,
        timeout_s=600,
        placement={
            "cpu": "100m",
            "memory": "1Gi",
            "shared_memory": "64Mi",
            "scratch": "1Gi",
            "env": {"AWS_ENDPOINT_URL": store.inside},
            "env_secrets": [SECRET],
        },
    )


@pytest.fixture(scope="module")
def laptop(spec: TrainSpec) -> TrainResult:
    """What three processes on this machine make of it."""
    return TorchrunTrainer().train(spec)


def losses(result: TrainResult) -> list[float]:
    return [entry["validation_loss"] for entry in result.history]


def require(resource: Resource) -> None:
    command = ["kubectl", "get", "deployments", "-A", "-o", "name"]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    wanted = {"pytorchjobs": "training-operator", "trainjobs": "trainer-controller"}[resource.plural]
    if wanted not in found.stdout:
        pytest.skip(f"{resource.kind} has no controller in this cluster ({wanted})")


@pytest.mark.parametrize(
    ("trainer", "resource"),
    [(PyTorchJobTrainer, pytorchjob.RESOURCE), (TrainJobTrainer, trainjob.RESOURCE)],
    ids=["pytorchjob", "trainjob"],
)
def test_pods_make_the_model_that_a_laptop_makes_and_tell_the_loss_while_they_do(
    trainer: type[Trainer],
    resource: Resource,
    spec: TrainSpec,
    laptop: TrainResult,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    require(resource)
    caplog.set_level(logging.INFO, "seaway")
    result = trainer().train(dataclasses.replace(spec, output=tmp_path / "model"))
    assert losses(result) == pytest.approx(losses(laptop), abs=TOLERANCE)
    assert any(f"epoch {EPOCHS}/{EPOCHS}: loss" in record.message for record in caplog.records)
    again = trainer().train(dataclasses.replace(spec, output=tmp_path / "again"))
    assert losses(again) == losses(result), "the model of this run was not taken from the storage"


def test_the_loss_of_a_worker_changes_nothing(
    spec: TrainSpec, laptop: TrainResult, place: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    require(pytorchjob.RESOURCE)
    caplog.set_level(logging.INFO, "seaway")
    checkpoints = remote(spec, fingerprint(spec)).checkpoints
    killer = threading.Thread(target=kill_a_worker_after_the_first_checkpoint, args=[checkpoints, place])
    killer.start()
    result = PyTorchJobTrainer().train(dataclasses.replace(spec, output=tmp_path / "model"))
    killer.join()
    assert losses(result) == pytest.approx(losses(laptop), abs=TOLERANCE)
    assert any("resuming after epoch" in record.message for record in caplog.records)


def kill_a_worker_after_the_first_checkpoint(checkpoints: str, place: str) -> None:
    deadline = time.monotonic() + 300
    while not storage_for(checkpoints).list(checkpoints) and time.monotonic() < deadline:
        time.sleep(0.2)
    label = "training.kubeflow.org/replica-type=worker,training.kubeflow.org/replica-index=1"
    command = ["kubectl", "delete", "pod", "--namespace", place, "--selector", label, "--grace-period=0", "--force"]
    subprocess.run(command, check=True, capture_output=True)


def test_a_training_that_cannot_be_done_fails_with_the_pods_own_words(spec: TrainSpec, tmp_path: Path) -> None:
    require(pytorchjob.RESOURCE)
    wrong = dataclasses.replace(
        spec,
        output=tmp_path / "model",
        params={**spec.params, "numeric": ["no_such_column"]},
        placement={**spec.placement, "restarts": 0},
    )
    with pytest.raises(TrainingFailed, match="no column no_such_column"):
        PyTorchJobTrainer().train(wrong)


def test_the_flights_network_trained_in_pods_by_the_pipeline_is_that_of_a_laptop(
    spec: TrainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(pytorchjob.RESOURCE)
    settings = tmp_path / "placement.json"
    settings.write_text(json.dumps(dict(spec.placement)))
    monkeypatch.setenv("SEAWAY_PLACEMENT", str(settings))
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEAWAY_RUN_ID")
    parameters = ["months=1", "rows=20000", "epochs=2", "workers=3"]
    words = [word for parameter in parameters for word in ("-p", parameter)]
    command = [sys.executable, "-c", "from seaway.cli import main; main()", "run", str(TRAINING_ONLY), *words]
    run = subprocess.run([*command, "--platform", "kubernetes"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    [root] = (tmp_path / "home" / "artifacts").glob("flights-training-*")
    logs = "".join(path.read_text() for path in (tmp_path / "home" / "runs").glob("*/steps/*.log"))
    assert all(f"-{role} | " in logs for role in ("master-0", "worker-0", "worker-1")), "the pods were not heard"
    examples = root / "get-training-examples"
    here = TrainSpec(
        examples / "train",
        examples / "validation",
        tmp_path / "laptop",
        tmp_path / "checkpoints",
        params={**COLUMNS, **DEEP, "epochs": 2},
        workers=3,
    )
    in_pods = TrainResult.read(root / "train-pytorch" / "model")
    assert losses(in_pods) == pytest.approx(losses(TorchrunTrainer().train(here)), abs=TOLERANCE)
