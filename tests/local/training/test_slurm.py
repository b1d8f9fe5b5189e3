"""Trainings on a real Slurm: they are equal to torchrun's, survive what schedulers do, and leave nothing behind."""

import dataclasses
import logging
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from places import LOCAL_PROGRAMS
from seaway.errors import InvalidSpec, ObjectDeleted, SlurmUnavailable, TimedOut, TrainingFailed
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.platforms.slurm.launch import BatchJob, launch
from seaway.platforms.slurm.placement import Placement
from seaway.platforms.slurm.trainer import SlurmTrainer
from seaway.training import TrainSpec
from slurm_cluster import SlurmCluster
from small_training import echo_training, small_training

from held_trainer import HOLD  # isort: skip
from training_processes import MARK, alive, wait_until, when  # isort: skip


@pytest.fixture
def job(tmp_path: Path) -> Callable[[str], BatchJob]:
    """A batch job of these shell lines."""

    def made(lines: str, options: str = "") -> BatchJob:
        name = f"test-{uuid.uuid4().hex[:12]}"
        log = f"{tmp_path}/{name}-%j.log"
        script = tmp_path / f"{name}.sh"
        script.write_text(f"#!/bin/sh\n#SBATCH -J {name} -o {log} --open-mode=append {options}\n{lines}\n")
        return BatchJob(name, script, log, timeout_s=600.0)

    return made


def is_(slurm: SlurmCluster, job: BatchJob, state: str) -> Callable[[], bool]:
    return lambda: slurm.state(job.name).endswith(f" {state}")


def number_of(slurm: SlurmCluster, job: BatchJob) -> str:
    return slurm.state(job.name).split()[0]


# A training


@pytest.fixture
def echo(tmp_path: Path) -> TrainSpec:
    return echo_training(tmp_path, placement={"processes_per_node": 2, "queue_s": 600})


def test_a_users_module_trains_and_its_log_is_told_and_its_result_is_kept(
    slurm: SlurmCluster, echo: TrainSpec, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    result = SlurmTrainer().train(echo)
    assert (result.metrics["total"], result.metrics["workers"]) == (3, 2)
    assert "| 0: hello from 1" in caplog.text
    monkeypatch.setenv("PATH", "/nowhere")
    assert SlurmTrainer().train(echo).reused


def test_a_failed_process_is_named_by_slurms_reason_and_its_last_lines(slurm: SlurmCluster, echo: TrainSpec) -> None:
    with pytest.raises(TrainingFailed, match=r"(?s)ended as FAILED \(NonZeroExitCode, exit code 1\).*no licence"):
        SlurmTrainer().train(dataclasses.replace(echo, params={"how": "exit"}))


def test_a_preempted_training_on_two_nodes_goes_on_from_its_checkpoint_to_torchruns_result(
    slurm: SlurmCluster, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    hold = tmp_path / "hold"
    monkeypatch.setenv(HOLD, str(hold))
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    spec = small_training(tmp_path, rows=2_001, epochs=3, batch_size=256, entrypoint="held_trainer", workers=2)
    expected = TorchrunTrainer().train(dataclasses.replace(spec, output=tmp_path / "expected"))
    hold.touch()
    kept = tmp_path / "home" / "slurm" / "checkpoints"

    def preempt() -> None:
        slurm.command("srun", "--partition=urgent", "--nodes=2", "--exclusive", "true")
        hold.unlink()

    preempting = when(lambda: any(kept.rglob("epoch-*")), preempt)
    result = SlurmTrainer().train(dataclasses.replace(spec, placement={"cpus": 2}))
    preempting.join()
    assert "resuming after epoch" in caplog.text
    assert "started anew 1 times" in caplog.text
    assert [entry["loss"] for entry in result.history] == [entry["loss"] for entry in expected.history]
    assert result.sha256 == expected.sha256


# What a scheduler does to a job


def test_an_exit_code_is_told_with_the_last_lines(slurm: SlurmCluster, job: Callable[..., BatchJob]) -> None:
    with pytest.raises(TrainingFailed, match=r"(?s)NonZeroExitCode, exit code 3.*the moon is in the wrong phase"):
        launch(job("echo the moon is in the wrong phase; exit 3"), Placement())


def test_a_signal_is_told_as_one(slurm: SlurmCluster, job: Callable[..., BatchJob]) -> None:
    with pytest.raises(TrainingFailed, match="signal 9"):
        launch(job("kill -KILL $$"), Placement())


def test_a_refused_job_is_told_in_slurms_words(slurm: SlurmCluster, job: Callable[..., BatchJob]) -> None:
    with pytest.raises(InvalidSpec, match="invalid partition specified: moon"):
        launch(job("true", "--partition=moon"), Placement())


def test_a_queue_that_never_starts_has_a_deadline_and_a_reason(
    slurm: SlurmCluster, job: Callable[..., BatchJob]
) -> None:
    waiting = job("true", "--partition=closed")
    with pytest.raises(TimedOut, match="reason: PartitionDown"):
        launch(waiting, Placement(queue_s=0.5))
    assert is_(slurm, waiting, "CANCELLED")()


def test_a_job_that_takes_longer_than_its_time_is_cancelled(slurm: SlurmCluster, job: Callable[..., BatchJob]) -> None:
    long = dataclasses.replace(job("echo on my way; sleep 600"), timeout_s=10.0)
    with pytest.raises(TimedOut, match=r"(?s)did not end within 10 s.*on my way"):
        launch(long, Placement())
    assert is_(slurm, long, "CANCELLED")()


def test_somebody_elses_scancel_is_no_failure_of_the_program(slurm: SlurmCluster, job: Callable[..., BatchJob]) -> None:
    long = job("sleep 600")
    when(is_(slurm, long, "RUNNING"), lambda: slurm.command("scancel", number_of(slurm, long)))
    with pytest.raises(ObjectDeleted, match="cancelled by somebody else"):
        launch(long, Placement())


def test_a_job_that_failed_is_submitted_anew_and_one_that_ended_well_is_taken(
    slurm: SlurmCluster, job: Callable[..., BatchJob], tmp_path: Path
) -> None:
    once = job(f"test -e {tmp_path}/second && exit 0; touch {tmp_path}/second; exit 1")
    with pytest.raises(TrainingFailed):
        launch(once, Placement())
    launch(once, Placement())
    second = number_of(slurm, once)
    launch(once, Placement())
    assert number_of(slurm, once) == second


def test_a_job_that_is_requeued_too_often_is_ended(slurm: SlurmCluster, job: Callable[..., BatchJob]) -> None:
    restless = job('scontrol requeue "$SLURM_JOB_ID"; sleep 600', "--requeue")
    with pytest.raises(TrainingFailed, match="requeues is 0"):
        launch(restless, Placement(requeues=0))
    assert is_(slurm, restless, "CANCELLED")()


def test_an_outage_of_the_controller_is_sat_out_and_a_long_one_is_told(
    slurm: SlurmCluster, job: Callable[..., BatchJob], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    patient = job(f"while test ! -e {tmp_path}/end; do sleep 0.1; done")

    def outage() -> None:
        slurm.stop("slurmctld")
        wait_until(lambda: "does not answer" in caplog.text, 0.1)
        (tmp_path / "end").touch()
        slurm.start_controller()

    stopping = when(is_(slurm, patient, "RUNNING"), outage)
    launch(patient, Placement())
    stopping.join()
    slurm.stop("slurmctld")
    try:
        with pytest.raises(SlurmUnavailable, match=r"has not answered for 0\.5 s"):
            launch(job("true"), Placement(outage_s=0.5))
    finally:
        slurm.start_controller()


def test_a_killed_step_leaves_its_job_to_the_next_and_one_that_is_told_to_end_takes_it_along(
    slurm: SlurmCluster, job: Callable[..., BatchJob], tmp_path: Path
) -> None:
    long = job(f"{MARK}={tmp_path.name} sleep 600")
    command = [sys.executable, str(LOCAL_PROGRAMS / "slurm_step.py"), long.name, str(long.script)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:
        wait_until(is_(slurm, long, "RUNNING"), 0.1)
        first.kill()
    number = number_of(slurm, long)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as second:
        assert second.stderr is not None
        told = iter(second.stderr.readline, "")
        assert any(f"Going on with Slurm job {number}" in line for line in told)
        wait_until(lambda: bool(alive(tmp_path.name)), 0.1)
        second.send_signal(signal.SIGTERM)
        second.stderr.read()
    assert second.returncode == 128 + signal.SIGTERM
    assert is_(slurm, long, "CANCELLED")()
    assert not alive(tmp_path.name)


def test_without_slurms_programs_the_message_says_where_they_are(
    job: Callable[..., BatchJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SlurmUnavailable, match="slurm-client"):
        launch(job("true"), Placement())
