"""Trainings on a real Ray cluster: they are equal to torchrun's, survive what clusters do, and leave nothing behind."""

import dataclasses
import logging
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray_cluster
from places import LOCAL_PROGRAMS
from ray_cluster import RayCluster
from seaway.errors import InvalidSpec, ObjectDeleted, RayUnavailable, TimedOut, TrainingFailed
from seaway.platforms.kubernetes.training import placement as kubernetes
from seaway.platforms.kubernetes.training import rayjob
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.platforms.local.tuning.batch_jobs import RayTuner
from seaway.platforms.local.tuning.optuna import OptunaTuner
from seaway.platforms.ray.launch import RayJob, launch
from seaway.platforms.ray.placement import Placement
from seaway.platforms.ray.trainer import RayTrainer
from seaway.platforms.remote_training import below, send_data
from seaway.storage import storage_for
from seaway.training import TrainResult, TrainSpec
from seaway.training.fingerprint import fingerprint
from seaway.training.ray.group import VARIABLE as GROUP
from seaway.training.ray.group import Group
from seaway.tuning import Algorithm, Budget, Float, Objective, SearchSpace, TuneSpec
from small_training import echo_training, small_training

from held_trainer import HOLD  # isort: skip
from training_processes import MARK, alive, wait_until, when  # isort: skip

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def shared_ray() -> Iterator[RayCluster]:
    with ray_cluster.running() as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_ray: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RayCluster:
    """The cluster that this process submits to, as a run of its own, whose trainers are the tests' too."""
    site = tmp_path / "ray.yaml"
    site.write_text(f"address: {shared_ray.url}\ntoken_file: {shared_ray.token_file}\npython: {sys.executable}\n")
    monkeypatch.setenv("SEAWAY_RAY", str(site))
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEAWAY_RUN_ID", tmp_path.name)
    monkeypatch.syspath_prepend(str(LOCAL_PROGRAMS))
    return shared_ray


@pytest.fixture
def placed(cluster: RayCluster) -> Callable[..., Placement]:
    return lambda **settings: Placement(address=cluster.url, token_file=str(cluster.token_file), **settings)


def job(command: str) -> RayJob:
    return RayJob(f"test-{uuid.uuid4().hex[:12]}", command, {})


def is_(cluster: RayCluster, one: RayJob, state: str) -> Callable[[], bool]:
    return lambda: cluster.state(f"{one.name}-1") == state


# A training


@pytest.fixture
def echo(tmp_path: Path) -> TrainSpec:
    return echo_training(tmp_path, placement={"processes_per_node": 2, "queue_s": 600})


def changed(spec: TrainSpec, **placement: Any) -> TrainSpec:
    return dataclasses.replace(spec, placement={**spec.placement, **placement})


def test_a_users_module_trains_and_its_log_is_told_and_its_result_is_kept(
    cluster: RayCluster, echo: TrainSpec, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    result = RayTrainer().train(echo)
    assert (result.metrics["total"], result.metrics["workers"]) == (3, 2)
    assert "0: hello from 1" in caplog.text
    monkeypatch.setenv("SEAWAY_RAY", "/nowhere")
    assert RayTrainer().train(echo).reused


def test_a_failed_process_is_told_by_its_exit_code_and_its_last_lines(cluster: RayCluster, echo: TrainSpec) -> None:
    with pytest.raises(TrainingFailed, match=r"(?s)ended as FAILED \(exit code 1\).*no licence"):
        RayTrainer().train(dataclasses.replace(echo, params={"how": "exit"}))


def test_a_training_on_two_bundles_goes_on_from_its_checkpoint_to_torchruns_result_when_one_is_lost(
    cluster: RayCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    hold = tmp_path / "hold"
    monkeypatch.setenv(HOLD, str(hold))
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    spec = small_training(tmp_path, rows=2_001, epochs=3, batch_size=256, entrypoint="held_trainer", workers=2)
    expected = TorchrunTrainer().train(dataclasses.replace(spec, output=tmp_path / "expected"))
    hold.touch()
    kept = tmp_path / "home" / "ray" / "checkpoints"

    def lose() -> None:
        cluster.kill_actor()
        hold.unlink()

    losing = when(lambda: any(kept.rglob("epoch-*")), lose)
    result = RayTrainer().train(changed(spec, env={HOLD: str(hold), MARK: tmp_path.name}))
    losing.join()
    assert "was lost" in caplog.text
    assert "resuming after epoch" in caplog.text
    assert [entry["loss"] for entry in result.history] == [entry["loss"] for entry in expected.history]
    assert result.sha256 == expected.sha256
    wait_until(lambda: not alive(tmp_path.name))


def test_what_a_rayjob_of_kuberay_says_trains(cluster: RayCluster, echo: TrainSpec, tmp_path: Path) -> None:
    """Its entrypoint with its workers' variables, as KubeRay would have it; the disks of its pods are left out."""
    training = below(str(tmp_path / "shared"), echo, fingerprint(echo))
    send_data(echo, training)
    spec = rayjob.build(training, kubernetes.Placement("image", gpus=0))["spec"]
    [workers] = spec["rayClusterSpec"]["workerGroupSpecs"]
    [container] = workers["template"]["spec"]["containers"]
    said = {one["name"]: one["value"] for one in container["env"]}
    group = dataclasses.replace(Group.parse(said[GROUP]), strategy="PACK")  # the test's cluster is one node
    variables = {**said, GROUP: group.text, "HOME": str(tmp_path), "SEAWAY_SCRATCH": str(tmp_path)}
    command = spec["entrypoint"].replace("python", sys.executable, 1)
    one = dataclasses.replace(job(command), runtime_env={"env_vars": variables})
    launch(one, Placement(address=cluster.url, token_file=str(cluster.token_file)))
    storage_for(training.output).download(training.output, echo.output)
    assert TrainResult.read(echo.output).metrics["workers"] == echo.workers


def test_what_the_cluster_has_not_is_waited_for_only_so_long(cluster: RayCluster, echo: TrainSpec) -> None:
    with pytest.raises(TimedOut, match=r"(?s)deadline.*did not have \[\{'CPU': 128\.0\}\] within 0\.5 s"):
        RayTrainer().train(changed(echo, cpus=64, queue_s=0.5))


def test_a_training_that_takes_longer_than_its_time_is_ended_and_told_to_stop_it_ends_its_processes(
    cluster: RayCluster, echo: TrainSpec, tmp_path: Path
) -> None:
    asleep = changed(dataclasses.replace(echo, params={"how": "sleep"}), env={MARK: tmp_path.name})
    with pytest.raises(TimedOut, match="did not end in its time"):
        RayTrainer().train(dataclasses.replace(asleep, timeout_s=20.0))
    wait_until(lambda: not alive(tmp_path.name))
    trainings = [one for one in cluster.jobs() if one.startswith("seaway-training")]
    assert not [one for one in trainings if cluster.state(one) in ("PENDING", "RUNNING")]


# What a cluster does to a job


def test_an_exit_code_is_told_with_the_last_lines(placed: Callable[..., Placement]) -> None:
    with pytest.raises(TrainingFailed, match=r"(?s)exit code 3.*the moon is in the wrong phase"):
        launch(job("echo the moon is in the wrong phase; exit 3"), placed())


def test_a_refused_job_is_told_in_rays_words(placed: Callable[..., Placement]) -> None:
    refused = dataclasses.replace(job("true"), runtime_env={"working_dir": "/nowhere"})
    with pytest.raises(TrainingFailed, match=r"ended as FAILED \(.*nowhere is not a valid path"):
        launch(refused, placed())


def test_who_has_no_token_is_told_where_it_goes(cluster: RayCluster) -> None:
    with pytest.raises(InvalidSpec, match=r"does not know who asks.*placement\.token_file"):
        launch(job("true"), Placement(address=cluster.url))


def test_what_answers_and_is_no_ray_is_told(placed: Callable[..., Placement], cluster: RayCluster) -> None:
    other = dataclasses.replace(placed(), address=f"{cluster.url}/elsewhere")
    with pytest.raises(InvalidSpec, match=r"answered 40\d: .*address of its dashboard"):
        launch(job("true"), other)


def test_somebody_elses_stop_is_no_failure_of_the_program(
    cluster: RayCluster, placed: Callable[..., Placement]
) -> None:
    long = job("sleep 600")
    when(is_(cluster, long, "RUNNING"), lambda: cluster.server.stop(f"{long.name}-1"))
    with pytest.raises(ObjectDeleted, match="stopped by somebody else"):
        launch(long, placed())


def test_a_job_that_failed_is_submitted_anew_and_one_that_ended_well_is_taken(
    placed: Callable[..., Placement], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    once = job(f"echo run >> {runs}; test $(wc -l < {runs}) -gt 1")
    with pytest.raises(TrainingFailed):
        launch(once, placed())
    launch(once, placed())
    launch(once, placed())
    assert len(runs.read_text().splitlines()) == 2


def test_an_outage_of_the_head_is_sat_out_and_a_long_one_is_told(
    cluster: RayCluster, placed: Callable[..., Placement], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    patient = job(f"while test ! -e {tmp_path}/end; do sleep 0.1; done; echo done")
    stopped: list[list[str]] = []

    def outage() -> None:
        stopped.append(cluster.stop_dashboard())
        wait_until(lambda: "does not answer" in caplog.text, 0.1)
        (tmp_path / "end").touch()
        cluster.start_dashboard(stopped[0])

    stopping = when(is_(cluster, patient, "RUNNING"), outage)
    launch(patient, placed())
    stopping.join()
    cluster.stop_dashboard()
    try:
        with pytest.raises(RayUnavailable, match=r"has not answered for 0\.5 s"):
            launch(job("true"), placed(outage_s=0.5))
    finally:
        cluster.start_dashboard(stopped[0])
        wait_until(cluster.answers, 0.1)


def test_a_killed_step_leaves_its_job_to_the_next_and_one_that_is_told_to_end_takes_it_along(
    cluster: RayCluster, tmp_path: Path
) -> None:
    long = job(f"{MARK}={tmp_path.name} sleep 600")
    program = str(LOCAL_PROGRAMS / "ray_step.py")
    command = [sys.executable, program, long.name, long.entrypoint, cluster.url, str(cluster.token_file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:
        wait_until(is_(cluster, long, "RUNNING"), 0.1)
        first.kill()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as second:
        assert second.stderr is not None
        told = iter(second.stderr.readline, "")
        assert any(f"Going on with Ray job {long.name}" in line for line in told)
        wait_until(lambda: bool(alive(tmp_path.name)), 0.1)
        second.send_signal(signal.SIGTERM)
        second.stderr.read()
    assert second.returncode == 128 + signal.SIGTERM
    assert is_(cluster, long, "STOPPED")()
    wait_until(lambda: not alive(tmp_path.name))


# A study


def test_trials_are_jobs_and_find_what_this_machine_finds(
    cluster: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(cluster.jobs())
    training = small_training(tmp_path, rows=501, epochs=1, batch_size=256)
    space = SearchSpace({"learning_rate": Float(1e-3, 3e-2, log=True)})
    sought = (Objective("validation_loss", "minimize"),)
    study = TuneSpec(training, space, sought, Algorithm("random"), Budget(2), tmp_path / "study", parallel=2)
    found = RayTuner().tune(study)
    ran = set(cluster.jobs()) - before
    assert [cluster.state(one) for one in ran] == ["SUCCEEDED"] * 2
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "laptop"))
    expected = OptunaTuner().tune(study)
    assert found.params == expected.params
    by_number = [{one.number: one.values["validation_loss"] for one in each.trials} for each in (found, expected)]
    assert by_number[0] == pytest.approx(by_number[1], abs=1e-5)
