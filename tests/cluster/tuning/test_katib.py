"""Studies of the flights trainer by a real Katib, each to another end."""

import dataclasses
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kubernetes import client, dynamic
from namespaces import RESTRICTED, STUDIES, made_namespace
from object_store_pod import BUCKET, SECRET, StoreInCluster, object_store
from places import SUPPORT
from seaway.errors import TuningFailed
from seaway.platforms.kubernetes.training.trainer import PyTorchJobTrainer
from seaway.platforms.kubernetes.tuning.katib import KatibTuner
from seaway.tuning import State, earlier_trials
from tuning_step import study

import images

pytestmark = pytest.mark.timeout(600)
POLICY = Path(__file__).parents[3] / "manifests" / "tuning"
STEP = SUPPORT / "tuning_step.py"
SPACE = {
    "learning_rate": {"type": "float", "low": 1e-3, "high": 1e-1, "log": True},
    "hidden": {"type": "categorical", "choices": [[8], [16, 8]]},
    "weight_decay": {"type": "float", "low": 0, "high": 0.5, "step": 0.1},
}
TOLERANCE = 1e-6  # the same bits are learned from the same data, params and seed
LONG = 100_000  # epochs that no test waits for
WAIT_S = 120.0
KATIB = {"group": "kubeflow.org", "version": "v1beta1"}


@pytest.fixture(scope="module")
def place(cluster: dynamic.DynamicClient) -> Iterator[str]:
    """A namespace of Pod Security `restricted` in which Katib may run trials."""
    deployments = subprocess.run(
        ["kubectl", "get", "deployments", "-A", "-o", "name"], check=True, capture_output=True, text=True
    ).stdout
    for needed in ("katib-controller", "training-operator"):
        if needed not in deployments:
            pytest.skip(f"{needed} does not run in this cluster")
    applied = subprocess.run(["kubectl", "apply", "-k", POLICY], capture_output=True, text=True, check=False)
    if applied.returncode:
        pytest.skip(f"mutating admission policies are needed and cannot be applied here: {applied.stderr}")
    with made_namespace(cluster, {**RESTRICTED, **STUDIES}) as name:
        yield name
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
    run = f"run-{secrets.token_hex(4)}"
    named = {
        "SEAWAY_RUN_ID": run,
        "SEAWAY_NAMESPACE": place,
        "SEAWAY_STORAGE": f"s3://{BUCKET}/{run}",
        "SEAWAY_TRAINER_IMAGE": trainer_image,
    }
    for name, value in {**store.environment, **named}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def training(store: StoreInCluster, tmp_path: Path) -> dict[str, Any]:
    """A training of a second on a column that tells the label and one that does not."""
    random = np.random.default_rng(0)
    for name, count in (("train", 2_000), ("validation", 500)):
        wind = random.normal(size=count).astype(np.float32)
        late = (wind + 0.5 * random.normal(size=count) > 0).astype(np.int8)
        origin = np.array(["EWR", "JFK"])[random.integers(0, 2, count)]
        pd.DataFrame({"wind": wind, "origin": origin, "late": late}).to_parquet(tmp_path / f"{name}.parquet")
    return {
        "train": str(tmp_path / "train.parquet"),
        "validation": str(tmp_path / "validation.parquet"),
        "output": str(tmp_path / "model"),
        "checkpoints": str(tmp_path / "checkpoints"),
        "params": {"numeric": ["wind"], "categorical": ["origin"], "label": "late", "epochs": 2, "batch_size": 256},
        "timeout_s": 300,
        "placement": {
            "cpu": "100m", "memory": "1Gi", "shared_memory": "64Mi", "scratch": "1Gi",
            "env": {"AWS_ENDPOINT_URL": store.inside}, "env_secrets": [SECRET],
        },
    }  # fmt: skip


JSON_FILE = {
    "metricsCollectorSpec": {
        "collector": {"kind": "File"},
        "source": {"fileSystemPath": {"path": "/katib/figures.jsonl", "kind": "File", "format": "JSON"}},
    }
}


@pytest.mark.parametrize(
    ("algorithm", "passthrough"), [("tpe", {}), ("sobol", JSON_FILE)], ids=["tpe-stdout", "sobol-json-file"]
)
def test_the_next_step_trains_the_model_of_the_best_trial(
    algorithm: str, passthrough: dict[str, Any], training: dict[str, Any], tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, "seaway")
    spec = study(training, SPACE, 2, algorithm=algorithm, passthrough=passthrough)
    result = KatibTuner().tune(spec)
    assert [trial.state for trial in result.trials] == [State.COMPLETE] * 2
    for trial in result.trials:
        spec.space.check(trial.params)
        assert trial.epochs == 2
        assert trial.values["validation_auc"] in [entry["validation_auc"] for entry in trial.history]
    assert earlier_trials(spec.output) == result.trials
    trained = PyTorchJobTrainer().train(
        dataclasses.replace(spec.training, params=result.params, output=tmp_path / "trained")
    )
    assert trained.metrics["validation_auc"] == pytest.approx(result.best.values["validation_auc"], abs=TOLERANCE)
    told = [record.message for record in caplog.records]
    assert any("Trials: 2 succeeded, of 2. Best: validation_auc" in message for message in told)
    assert KatibTuner().tune(spec).trials == result.trials, "the finished study was not given again"


def test_a_trial_that_fails_fails_the_study_with_the_pods_own_words(training: dict[str, Any]) -> None:
    space = {
        "numeric": {"type": "categorical", "choices": [["no_such_column"]]},
        "epochs": {"type": "int", "low": 1, "high": 2},
    }
    with pytest.raises(TuningFailed, match=r"max failed count has reached(.|\n)*no column no_such_column"):
        KatibTuner().tune(study(training, space, 2))


def test_metrics_that_katib_cannot_find_are_told_as_unavailable(
    training: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seaway")
    nothing = {"metricsCollectorSpec": {"source": {"filter": {"metricsFormat": ["(no) such (figure)"]}}}}
    with pytest.raises(TuningFailed, match=r"(?i)unavailable"):
        KatibTuner().tune(study(training, SPACE, 1, passthrough=nothing, max_failed=5))


def test_a_killed_step_goes_on_with_its_experiment_and_a_cancelled_one_leaves_nothing(
    training: dict[str, Any], place: str, tmp_path: Path, cluster: dynamic.DynamicClient
) -> None:
    endless = {**training, "params": {**training["params"], "epochs": LONG, "patience": LONG}}
    file = tmp_path / "study.json"
    file.write_text(json.dumps({"training": endless, "space": SPACE, "trials": 4}))
    before = {experiment["metadata"]["uid"] for experiment in listed(cluster, place, "experiments")}

    def ours() -> list[dict[str, Any]]:
        return [one for one in listed(cluster, place, "experiments") if one["metadata"]["uid"] not in before]

    with running(file) as step:
        await_true(lambda: any(one.get("status", {}).get("trialsRunning") for one in ours()), "no trial ran")
        step.kill()
    [killed] = ours()
    with running(file) as step:
        lines = iter(step.stdout or ())
        assert any("Going on with" in line for line in lines)
        step.send_signal(signal.SIGTERM)
        step.communicate(timeout=WAIT_S)
    assert step.returncode == 128 + signal.SIGTERM
    assert ours() == []
    name = killed["metadata"]["name"]
    assert [one for one in listed(cluster, place, "trials") if one["metadata"]["name"].startswith(name)] == []

    def pods() -> list[str]:
        found = client.CoreV1Api(cluster.client).list_namespaced_pod(place).items
        return [pod.metadata.name for pod in found if pod.metadata.name.startswith(name)]

    assert [pod for pod in pods() if not pod.startswith(f"{name}-random-")] == []
    await_true(lambda: not pods(), "Katib left the pod that suggests points")


def listed(cluster: dynamic.DynamicClient, place: str, plural: str) -> list[dict[str, Any]]:
    objects = client.CustomObjectsApi(cluster.client)
    return list(objects.list_namespaced_custom_object(**KATIB, namespace=place, plural=plural)["items"])


def await_true(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)


def running(file: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(STEP), str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(os.environ))
