"""Trials as jobs of a real Slurm find what trials on this machine find, and leave no job behind."""

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import InvalidSpec, TuningFailed
from seaway.platforms.local.tuning.batch_jobs import SlurmTuner
from seaway.platforms.local.tuning.optuna import OptunaTuner
from seaway.tuning import Algorithm, Budget, Float, Objective, SearchSpace, TuneSpec
from slurm_cluster import SlurmCluster
from small_training import small_training

SPACE = SearchSpace({"learning_rate": Float(1e-3, 3e-2, log=True)})


def study(folder: Path, algorithm: str = "random", trials: int = 2, rows: int = 501, **changed: Any) -> TuneSpec:
    training = small_training(folder, rows=rows, epochs=1, batch_size=256, placement={"queue_s": 600})
    sought, budget = (Objective("validation_loss", "minimize"),), Budget(trials)
    spec = TuneSpec(training, SPACE, sought, Algorithm(algorithm), budget, folder / "study", parallel=2)
    return dataclasses.replace(spec, **changed)


def jobs(slurm: SlurmCluster) -> set[str]:
    """Name and state of every job that the controller remembers."""
    return set(slurm.command("squeue", "--noheader", "--states=all", "--format=%j %T").splitlines())


def test_trials_are_jobs_and_find_what_this_machine_finds(
    slurm: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SlurmTuner().tune(study(tmp_path))
    ran = jobs(slurm)
    assert len(ran) == 2
    assert {line.split()[1] for line in ran} <= {"COMPLETED", "COMPLETING"}
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "laptop"))
    expected = OptunaTuner().tune(study(tmp_path))
    assert found.params == expected.params
    by_number = [{one.number: one.values["validation_loss"] for one in each.trials} for each in (found, expected)]
    assert by_number[0] == pytest.approx(by_number[1], abs=1e-5)


def test_a_failed_job_is_a_failed_trial_with_slurms_reason(slurm: SlurmCluster, tmp_path: Path) -> None:
    spec = study(tmp_path, trials=1, budget=Budget(1, max_failed=0))
    broken = dataclasses.replace(spec.training, params={**spec.training.params, "batch_size": 0})
    with pytest.raises(TuningFailed, match=r"(?s)ended as FAILED \(NonZeroExitCode, exit code 1\).*batch_size=0"):
        SlurmTuner().tune(dataclasses.replace(spec, training=broken))


def test_a_study_whose_time_is_over_cancels_its_jobs(slurm: SlurmCluster, tmp_path: Path) -> None:
    spec = study(tmp_path, rows=502, budget=Budget(2, seconds=1.0))  # other rows: what has been trained is reused
    held = dataclasses.replace(spec.training, placement={"options": ["--begin=now+1hour"], "queue_s": 5})
    with pytest.raises(TuningFailed, match=r"(?s)None of 2 trials ended well.*is cancelled; Slurm's reason: BeginTime"):
        SlurmTuner().tune(dataclasses.replace(spec, training=held))
    while any(line.endswith(("PENDING", "RUNNING", "COMPLETING")) for line in jobs(slurm)):
        time.sleep(0.1)


def test_what_has_to_see_epochs_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="The backend slurm has no the algorithm asha; the backend that has: optuna"):
        SlurmTuner().tune(study(tmp_path, "asha"))
