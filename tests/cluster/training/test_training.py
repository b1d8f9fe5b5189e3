"""Trainings in pods of a real cluster: the model of a laptop, told live, and through the loss of a pod."""

import dataclasses
import json
import logging
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from installed import require_controller
from kubernetes import dynamic
from seaway.errors import TrainingFailed
from seaway.platforms.kubernetes.client.connection import connect
from seaway.platforms.kubernetes.client.naming import OURS
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import PODS, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.trainer import PyTorchJobTrainer, TrainJobTrainer, remote
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.storage import storage_for
from seaway.training import Trainer, TrainResult, TrainSpec
from seaway.training.fingerprint import fingerprint
from small_training import small_training

pytestmark = [pytest.mark.timeout(1200), pytest.mark.usefixtures("training_environment")]
EPOCHS = 6
# In nats. The addends of the workers are summed in an order that a restart changes, which was seen to make 2.5e-4; a
# restart that loses what the optimizer knows makes 5.8e-4 in its first epoch.
TOLERANCE = 4e-4


@pytest.fixture(scope="module")
def spec(placement: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    return small_training(
        tmp_path_factory.mktemp("training"),
        rows=20_001,
        epochs=EPOCHS,
        batch_size=64,
        workers=3,
        timeout_s=600,
        placement=placement,
    )


@pytest.fixture(scope="module")
def laptop(spec: TrainSpec) -> TrainResult:
    """What three processes on this machine make of it."""
    return TorchrunTrainer().train(spec)


def losses(result: TrainResult) -> list[float]:
    return [entry["validation_loss"] for entry in result.history]


@pytest.mark.parametrize(
    ("trainer", "resource"),
    [(PyTorchJobTrainer, pytorchjob.RESOURCE), (TrainJobTrainer, trainjob.RESOURCE)],
    ids=["pytorchjob", "trainjob"],
)
def test_pods_make_the_model_that_a_laptop_makes_and_tell_the_loss_while_they_do(
    trainer: type[Trainer],
    resource: Resource,
    cluster: dynamic.DynamicClient,
    spec: TrainSpec,
    laptop: TrainResult,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    require_controller(cluster, resource)
    caplog.set_level(logging.INFO, "seaway")
    result = trainer().train(dataclasses.replace(spec, output=tmp_path / "model"))
    assert losses(result) == pytest.approx(losses(laptop), abs=TOLERANCE)
    assert any(f"epoch {EPOCHS}/{EPOCHS}: loss" in record.message for record in caplog.records)
    again = trainer().train(dataclasses.replace(spec, output=tmp_path / "again"))
    assert losses(again) == losses(result), "the model of this run was not taken from the storage"


@pytest.mark.parametrize("elastic", [None, {"min_workers": 2}], ids=["all-begin-anew", "elastic"])
def test_the_loss_of_a_worker_changes_nothing(
    elastic: dict[str, int] | None,
    cluster: dynamic.DynamicClient,
    spec: TrainSpec,
    laptop: TrainResult,
    place: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whether its peers wait for it or go on without it: each row weighs the same on any number of workers."""
    require_controller(cluster, pytorchjob.RESOURCE)
    caplog.set_level(logging.INFO, "seaway")
    disturbed = dataclasses.replace(spec, output=tmp_path / "model", placement={**spec.placement, "elastic": elastic})
    checkpoints = remote(disturbed, fingerprint(disturbed)).checkpoints
    killer = threading.Thread(target=kill_a_worker_after_the_first_checkpoint, args=[checkpoints, place])
    killer.start()
    result = PyTorchJobTrainer().train(disturbed)
    killer.join()
    assert losses(result) == pytest.approx(losses(laptop), abs=TOLERANCE)
    assert any("resuming after epoch" in record.message for record in caplog.records)


@pytest.mark.parametrize(
    ("trainer", "kind"),
    [(PyTorchJobTrainer, pytorchjob.KIND), (TrainJobTrainer, trainjob.KIND)],
    ids=["pytorchjob", "trainjob"],
)
def test_a_training_that_has_to_give_way_goes_on_from_its_checkpoint_when_it_may_run_again(
    trainer: type[Trainer],
    kind: Kind,
    cluster: dynamic.DynamicClient,
    spec: TrainSpec,
    laptop: TrainResult,
    place: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Suspended and let go again, which is how Kueue preempts a job."""
    require_controller(cluster, kind.resource)
    caplog.set_level(logging.INFO, "seaway")
    params = {**spec.params, "name": f"gives_way_{kind.resource.kind.lower()}"}
    held = dataclasses.replace(spec, output=tmp_path / "model", params=params, workers=2)
    checkpoints = remote(held, fingerprint(held)).checkpoints
    preempting = threading.Thread(target=suspend_after_the_first_checkpoint, args=[checkpoints, kind, place])
    preempting.start()
    result = trainer().train(held)
    preempting.join()
    assert losses(result) == pytest.approx(losses(laptop), abs=TOLERANCE)
    assert "is suspended and waits" in caplog.text
    assert "may run, after" in caplog.text
    assert "resuming after epoch" in caplog.text


def suspend_after_the_first_checkpoint(checkpoints: str, kind: Kind, place: str) -> None:
    await_checkpoint(checkpoints)
    objects = Objects(dataclasses.replace(connect(), namespace=place))
    [job] = [one for one in objects.list(kind.resource, {"labelSelector": OURS}).items if kind.outcome(one) is None]
    name, pods = job["metadata"]["name"], {"labelSelector": kind.pods(job["metadata"]["name"])}
    hold(kind, name, place, held=True)
    while objects.list(PODS, pods).items:
        time.sleep(0.2)
    hold(kind, name, place, held=False)


def hold(kind: Kind, name: str, place: str, *, held: bool) -> None:
    patch: Any = held
    for part in reversed(kind.suspend):
        patch = {part: patch}
    command = ["kubectl", "patch", kind.resource.full_name, name, "--namespace", place, "--type=merge", "--patch"]
    subprocess.run([*command, json.dumps(patch)], check=True, capture_output=True)


def await_checkpoint(checkpoints: str) -> None:
    deadline = time.monotonic() + 300
    while not storage_for(checkpoints).list(checkpoints) and time.monotonic() < deadline:
        time.sleep(0.2)


def kill_a_worker_after_the_first_checkpoint(checkpoints: str, place: str) -> None:
    await_checkpoint(checkpoints)
    label = "training.kubeflow.org/replica-type=worker,training.kubeflow.org/replica-index=1"
    command = ["kubectl", "delete", "pod", "--namespace", place, "--selector", label, "--grace-period=0", "--force"]
    subprocess.run(command, check=True, capture_output=True)


def test_a_training_that_cannot_be_done_fails_with_the_pods_own_words(
    cluster: dynamic.DynamicClient, spec: TrainSpec, tmp_path: Path
) -> None:
    require_controller(cluster, pytorchjob.RESOURCE)
    wrong = dataclasses.replace(
        spec,
        output=tmp_path / "model",
        params={**spec.params, "numeric": ["no_such_column"]},
        workers=1,
        placement={**spec.placement, "restarts": 0},
    )
    with pytest.raises(TrainingFailed, match="no column no_such_column"):
        PyTorchJobTrainer().train(wrong)
