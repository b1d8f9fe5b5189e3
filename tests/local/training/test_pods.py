"""A training in pods, its pods being processes on loopback: a lost one costs an epoch at most, and changes nothing."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from free_ports import free_port
from places import LOCAL_PROGRAMS
from seaway.storage import storage_for
from seaway.training import TrainResult, TrainSpec
from seaway.training.fingerprint import fingerprint
from seaway.training.pod.job import VARIABLE, RemoteTraining

from held_trainer import HOLD  # isort: skip
from training_processes import MARK, alive, kill, wait_until  # isort: skip

EPOCHS = 5
PODS = 2


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    folder = tmp_path_factory.mktemp("pods")
    random = np.random.default_rng(0)
    for name, count in (("train", 5_001), ("validation", 1_003)):
        wind = random.normal(size=count).astype(np.float32)
        late = (wind + 0.3 * random.normal(size=count) > 0).astype(np.int8)
        pd.DataFrame({"wind": wind, "late": late}).to_parquet(folder / f"{name}.parquet")
    params = {
        "numeric": ["wind"],
        "categorical": [],
        "label": "late",
        "epochs": EPOCHS,
        "patience": EPOCHS,
        "batch_size": 32,
    }
    paths = (folder / name for name in ("train.parquet", "validation.parquet", "output", "checkpoints"))
    return TrainSpec(*paths, params=params, workers=PODS)


def remote(spec: TrainSpec, place: Path) -> RemoteTraining:
    training = RemoteTraining.of(spec, fingerprint(spec), f"file://{place}/run", f"file://{place}/checkpoints")
    storage_for(training.train).upload(spec.train, training.train)
    storage_for(training.validation).upload(spec.validation, training.validation)
    return training


class Pods:
    """Pods that are restarted in their place when they fail, as a kubelet does."""

    def __init__(self, training: RemoteTraining, place: Path) -> None:
        self.training, self.place, self.port, self.restarts = training, place, free_port(), 0
        self.marks = [uuid.uuid4().hex for _ in range(PODS)]
        self.running = [self._start(rank) for rank in range(PODS)]

    def _start(self, rank: int) -> subprocess.Popen[bytes]:
        scratch = self.place / f"pod-{rank}"
        scratch.mkdir(exist_ok=True)
        variables = {
            "PET_MASTER_ADDR": "127.0.0.1",
            "PET_MASTER_PORT": str(self.port),
            "PET_NNODES": str(PODS),
            "PET_NODE_RANK": str(rank),
            "PET_NPROC_PER_NODE": "1",
            "GLOO_SOCKET_IFNAME": "lo",
            "OMP_NUM_THREADS": "1",
            "SEAWAY_SCRATCH": str(scratch),
            VARIABLE: self.training.text,
            MARK: self.marks[rank],
        }
        command = [sys.executable, "-m", "seaway.training.pod"]
        with (scratch / "log").open("ab") as log:
            return subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)

    def ended(self) -> bool:
        for rank, pod in enumerate(self.running):
            if pod.poll():
                self.restarts += 1
                self.running[rank] = self._start(rank)
        return all(pod.poll() == 0 for pod in self.running)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.place.glob("pod-*/log")))


@contextmanager
def pods(training: RemoteTraining, place: Path) -> Iterator[Pods]:
    started = Pods(training, place)
    try:
        yield started
    finally:
        for mark in started.marks:
            kill(mark)
        for pod in started.running:
            pod.wait()


def result(training: RemoteTraining, place: Path) -> TrainResult:
    storage_for(training.output).download(training.output, place / "model")
    return TrainResult.read(place / "model")


def losses(trained: TrainResult) -> list[float]:
    return [entry["loss"] for entry in trained.history]


def checkpoints(training: RemoteTraining) -> tuple[str, ...]:
    return storage_for(training.checkpoints).list(training.checkpoints)


@pytest.fixture(scope="module")
def undisturbed(spec: TrainSpec, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    place = tmp_path_factory.mktemp("undisturbed")
    training = remote(spec, place)
    with pods(training, place) as started:
        wait_until(started.ended, 0.2)
        assert started.restarts == 0, started.logs()
    return result(training, place)


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While it stands, a training of `held_trainer` goes no further than its next checkpoint."""
    file = tmp_path / "hold"
    file.touch()
    monkeypatch.setenv(HOLD, str(file))
    monkeypatch.setenv("PYTHONPATH", str(LOCAL_PROGRAMS))
    return file


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_pod_costs_no_more_than_an_epoch_and_the_result_is_the_same(
    lost: int, spec: TrainSpec, undisturbed: TrainResult, hold: Path, tmp_path: Path
) -> None:
    training = remote(dataclasses.replace(spec, entrypoint="held_trainer"), tmp_path)
    with pods(training, tmp_path) as started:
        wait_until(lambda: len(checkpoints(training)) > 0)
        for pid in alive(started.marks[lost]):
            os.kill(pid, signal.SIGKILL)
        hold.unlink()
        wait_until(started.ended, 0.2)
        assert started.restarts >= PODS, "a pod went on without its peer"
        assert "resuming after epoch" in started.logs()
    assert losses(result(training, tmp_path)) == losses(undisturbed)


def test_another_run_of_a_training_that_was_cut_off_goes_on_from_its_checkpoints(
    spec: TrainSpec, undisturbed: TrainResult, hold: Path, tmp_path: Path
) -> None:
    first = remote(dataclasses.replace(spec, entrypoint="held_trainer"), tmp_path)
    with pods(first, tmp_path):
        wait_until(lambda: len(checkpoints(first)) > 0)
    hold.unlink()
    for scratch in tmp_path.glob("pod-*"):
        scratch.rename(tmp_path / f"lost-{scratch.name}")
    second = dataclasses.replace(first, output=f"{first.output}-2")
    with pods(second, tmp_path) as started:
        wait_until(started.ended, 0.2)
        assert "resuming after epoch" in started.logs()
    assert losses(result(second, tmp_path)) == losses(undisturbed)


def test_pods_that_do_nothing_any_more_end_with_the_stacks_of_their_processes(
    spec: TrainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process leaves its peer alone in an all_reduce; when the first pod ends, the other may see a lost peer."""
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", "10")
    monkeypatch.setenv("PYTHONPATH", str(LOCAL_PROGRAMS))
    monkeypatch.syspath_prepend(LOCAL_PROGRAMS)
    hanging = dataclasses.replace(spec, entrypoint="echo_trainer", params={"how": "leave the peer alone"})
    with pods(remote(hanging, tmp_path), tmp_path) as started:
        wait_until(lambda: None not in [pod.poll() for pod in started.running], 0.2)
        assert all(pod.returncode for pod in started.running)
        assert not any(map(alive, started.marks))
    logs = [(tmp_path / f"pod-{rank}" / "log").read_text() for rank in range(PODS)]
    told = "TrainingFailed: The training hangs and is stopped: for 10 s (SEAWAY_HEARTBEAT_S)"
    stood = [
        re.search(f"{where}.*{re.escape(told)}", log, re.DOTALL) is not None
        for where, log in zip((r"all_reduce.*echo_trainer\.py.* in main", " in misbehave"), logs, strict=True)
    ]
    assert any(stood)
    assert stood == [told in log for log in logs]
