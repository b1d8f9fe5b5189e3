"""What Slurm is asked for and what its answers mean, without a Slurm."""

import dataclasses
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec, ObjectDeleted, TimedOut, TrainingFailed
from seaway.platforms.slurm import commands
from seaway.platforms.slurm.commands import JobRecord
from seaway.platforms.slurm.launch import BatchJob, JobWait
from seaway.platforms.slurm.placement import Placement
from seaway.platforms.slurm.script import build
from seaway.platforms.slurm.script_log import ScriptLog
from seaway.training.pod.job import VARIABLE, RemoteTraining

TRAINING = RemoteTraining(
    "/s/train.parquet", "/s/validation.parquet", "/s/model", "/s/checkpoints", {"run": "0" * 64}, "my.train", workers=4
)
SHOWN = (
    "JobId=7 JobName=seaway-training-x UserId=root(0) GroupId=root(0) JobState=PENDING"
    " Reason=launch_failed_requeued_held Dependency=(null) Requeue=1 Restarts=2 BatchFlag=1"
    " ExitCode=1:0 NodeList=(null) NumNodes=2"
    " Command=/home/me/my Reason=other/x.sh WorkDir=/home"
)


def script(**settings: object) -> list[str]:
    return build("name", "/s/%j.log", TRAINING, Placement.parse({"folder": "/s", **settings})).splitlines()


def test_the_script_asks_for_what_the_placement_says() -> None:
    lines = script(
        processes_per_node=2, partition="gpu", account="lab", qos="high", constraint="a100&ib", memory="64G", cpus=3,
        gpus=2, gpu_type="a100", time="1-00:00:00", options=["--exclusive"], setup=["module load cuda"],
        env={"NCCL_DEBUG": "IN FO"}, requeues=0,
    )  # fmt: skip
    asked = {line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")}
    assert asked >= {
        "--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=6", "--partition=gpu", "--account=lab", "--qos=high",
        "--constraint=a100&ib", "--mem=64G", "--gpus-per-node=a100:2", "--time=1-00:00:00", "--exclusive",
        "--no-requeue", "--output=/s/%j.log",
    }  # fmt: skip
    assert lines.index("module load cuda") < lines.index("export NCCL_DEBUG='IN FO'")
    assert "export PET_NPROC_PER_NODE=2" in lines


def test_a_job_of_one_node_keeps_its_rendezvous_on_loopback() -> None:
    lines = script(processes_per_node=4)
    assert "export PET_NNODES=1 PET_MASTER_ADDR=127.0.0.1" in lines


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ("pyxis", "--container-image=lab/seaway:1 --container-mounts=/s:/s,/data:/rows python -m"),
        ("apptainer", "apptainer exec --nv --bind /s,/data:/rows lab/seaway:1 python -m"),
    ],
)
def test_a_container_sees_the_shared_folder_and_has_its_own_python(container: str, expected: str) -> None:
    lines = script(image="lab/seaway:1", container=container, mounts=["/data:/rows"], gpus=1)
    assert expected in lines[-1]
    assert not any(line.startswith("export PYTHONPATH") for line in lines)


@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_any_value_reaches_the_processes_as_it_is(value: str) -> None:
    training = dataclasses.replace(TRAINING, params={"text": value})
    text = build("name", "/s/%j.log", training, Placement(folder="/s"))
    words = shlex.split(text, comments=True)
    assert f"{VARIABLE}={training.text}" in words


def test_the_shell_finds_no_fault_in_the_script(tmp_path: Path) -> None:
    checker = shutil.which("shellcheck")
    for number, settings in enumerate(({}, {"processes_per_node": 4})):
        file = tmp_path / f"{number}.sh"
        file.write_text("\n".join(script(**settings)) + "\n")
        subprocess.run([checker, file] if checker else ["sh", "-n", file], check=True)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"partition": "a b"}, "partition"),
        ({"time": "1\n#SBATCH --uid=0"}, "time"),
        ({"options": ["exclusive"]}, "options"),
        ({"options": "--exclusive"}, "options"),
        ({"setup": ["a\nb"]}, "setup"),
        ({"env": {"SLURM_JOB_ID": "1"}}, "SLURM_JOB_ID"),
        ({"container": "docker"}, "container"),
        ({"queue_s": 0}, "queue_s"),
        ({"requeues": -1}, "requeues"),
        ({"moon": 1}, "moon"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(settings: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidSpec, match=named):
        Placement.parse(settings)


def test_processes_fill_nodes_evenly() -> None:
    with pytest.raises(InvalidSpec, match="workers=4"):
        script(processes_per_node=3)


def test_a_record_is_read_up_to_the_first_of_each_name() -> None:
    assert JobRecord.parse(SHOWN) == JobRecord("7", "PENDING", "launch failed requeued held", "1:0", 2, "")


@pytest.mark.parametrize(
    "said",
    [
        "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
        "slurm_load_jobs error: Socket timed out on send/recv operation",
        "sbatch: error: If munged is up, restart with --num-threads=10",
    ],
)
def test_a_controller_that_is_away_is_told_from_one_that_refuses(said: str) -> None:
    assert commands.AWAY.search(said)
    assert not commands.AWAY.search("sbatch: error: invalid partition specified: moon")


def test_a_job_does_not_inherit_what_the_job_around_it_was_given() -> None:
    ours = {"SLURM_CONF": "a", "SLURM_JOB_ID": "1", "SBATCH_ACCOUNT": "b", "PET_NNODES": "4", "HOME": "/h"}
    assert commands._environment(ours) == {"SLURM_CONF": "a", "HOME": "/h", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def wait(tmp_path: Path) -> JobWait:
    found = JobWait(BatchJob("name", tmp_path / "name.sh", "", 10.0), Placement(queue_s=5), "7")
    found.log = ScriptLog(tmp_path / "7.log", "7")
    return found


@pytest.mark.parametrize(
    ("state", "error", "told"),
    [
        ("TIMEOUT", TrainingFailed, "raise timeout_s"),
        ("OUT_OF_MEMORY", TrainingFailed, r"placement\.memory"),
        ("NODE_FAIL", TrainingFailed, "a node was lost"),
        ("PREEMPTED", TrainingFailed, "another job took its nodes"),
        ("CANCELLED", ObjectDeleted, "somebody else"),
    ],
)
def test_each_end_has_its_reason_and_what_to_do(wait: JobWait, state: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        wait._judge(JobRecord("7", state, exit_code="0:0"))


def test_a_job_that_can_never_start_is_not_waited_for(wait: JobWait) -> None:
    with pytest.raises(TrainingFailed, match="BadConstraints"):
        wait._follow(JobRecord("7", "PENDING", "BadConstraints"))


def test_time_in_the_queue_counts_anew_after_a_start(wait: JobWait) -> None:
    wait._spend(JobRecord("7", "PENDING"), 4)
    wait._spend(JobRecord("7", "RUNNING"), 1)
    wait._spend(JobRecord("7", "PENDING"), 4)
    with pytest.raises(TimedOut, match="waited for its nodes for 5 s"):
        wait._spend(JobRecord("7", "PENDING", "Priority"), 2)


def test_a_log_is_told_by_whole_lines_once_each(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log = ScriptLog(tmp_path / "log", "7")
    log.tell_new()
    assert log.tail() == "(it wrote nothing)"
    log.path.write_bytes("eins\nzw\u00f6lf".encode()[:-1])
    log.tell_new()
    with log.path.open("ab") as file:
        file.write(b"f\n\xff\n")
    log.tell_new()
    log.tell_new()
    assert [record.getMessage() for record in caplog.records] == ["7 | eins", "7 | zw\u00f6lf", "7 | \ufffd"]
