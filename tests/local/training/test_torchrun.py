"""The launch of any entrypoint: what a user sees when it works, fails, hangs or is stopped."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from places import LOCAL_PROGRAMS
from seaway.errors import InvalidSpec, TrainingFailed
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainSpec
from small_training import echo_training

from training_processes import MARK, alive, start, wait_until  # isort: skip


@pytest.fixture(autouse=True)
def own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(LOCAL_PROGRAMS))


@pytest.fixture
def spec(tmp_path: Path) -> TrainSpec:
    return echo_training(tmp_path)


def how(spec: TrainSpec, value: str) -> TrainSpec:
    return dataclasses.replace(spec, params={"how": value})


def test_a_users_module_trains_on_loopback_only_with_its_ranks_logs(
    spec: TrainSpec, capfd: pytest.CaptureFixture[str]
) -> None:
    result = TorchrunTrainer().train(spec)
    assert (result.metrics["total"], result.metrics["workers"]) == (3, 2)
    assert result.metrics["addresses"]
    for address in result.metrics["addresses"]:
        assert address.split(":")[0].endswith("0100007F"), "a socket listens beyond loopback"
    shown = capfd.readouterr().out
    assert "[rank 0] hello from 0" in shown
    assert "[rank 1] hello from 1" in shown


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            "raise",
            r"(?s)^Rank 1 failed with exit code 1\. Its last lines:\n.*ValueError: the moon is in the wrong phase$",
        ),
        ("exit", r"(?s)^Rank 1 failed with exit code 1\. Its last lines:\n.*no licence$"),
        ("die", r"^Rank 0 was ended by SIGKILL"),
        ("forget", r"did not write signature\.json"),
    ],
)
def test_a_failure_names_the_rank_and_ends_with_its_last_lines(spec: TrainSpec, value: str, reason: str) -> None:
    with pytest.raises(TrainingFailed, match=reason):
        TorchrunTrainer().train(how(spec, value))


LEAVING = """
import os, sys, pathlib
import torch
from seaway.platforms.local.training.launcher_process import agent
holder = agent(pathlib.Path(sys.argv[1]), dict(os.environ))
print(type(holder).__name__, holder.wait(60), flush=True)
holder.release()
"""


def test_a_package_that_leaves_on_import_has_the_last_word_whatever_openmp_is_told(tmp_path: Path) -> None:
    """In a forked process; a fresh Python says it anyway. OMP_NUM_THREADS may have a number for each level."""
    package = tmp_path / "leaving"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('no licence')")
    (tmp_path / "job.json").write_text('{"entrypoint": "leaving", "workers": 1, "spec": "spec.json"}')
    environment = {**os.environ, "OMP_NUM_THREADS": "4,2", "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", LEAVING, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "ForkedAgent 1"
    assert done.stderr.rstrip().endswith("SystemExit: no licence")


def test_a_training_that_hangs_is_ended_with_all_its_processes(
    spec: TrainSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    with pytest.raises(TrainingFailed, match="did not end within 6 s"):
        TorchrunTrainer().train(dataclasses.replace(how(spec, "sleep"), timeout_s=6))
    wait_until(lambda: not alive(mark))


def test_a_training_that_does_nothing_is_ended_with_the_stacks_of_its_processes(
    spec: TrainSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", "5")
    with pytest.raises(TrainingFailed) as hung:
        TorchrunTrainer().train(how(spec, "leave the peer alone"))
    told, first, second = re.split(r"\[rank \d\]", str(hung.value))
    assert "for 5 s (SEAWAY_HEARTBEAT_S)" in told
    assert re.search(r"all_reduce.*echo_trainer\.py.* in main", first, re.DOTALL)
    assert re.search(r"threading\.py.* in wait.*echo_trainer\.py.* in misbehave", second, re.DOTALL)
    wait_until(lambda: not alive(mark))


def test_a_training_that_waits_for_its_data_loader_is_told(spec: TrainSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", "8")  # longer than the loader's look at its processes
    stands = r"(?s)\[rank 0\].* in _try_get_data.*echo_trainer\.py\".* in __getitem__"
    with pytest.raises(TrainingFailed, match=stands):
        TorchrunTrainer().train(how(spec, "load"))
    wait_until(lambda: not alive(mark))


def test_a_training_that_hangs_before_it_began_is_told_where(
    spec: TrainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", "5")
    (tmp_path / "code" / "slow_package").mkdir(parents=True)
    (tmp_path / "code" / "slow_package" / "__init__.py").write_text("import threading\nthreading.Event().wait()\n")
    (tmp_path / "code" / "slow_package" / "__main__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    with pytest.raises(
        TrainingFailed, match=r"(?s)for 5 s .*\[before any rank began\].*slow_package/__init__\.py\", line 2"
    ):
        TorchrunTrainer().train(dataclasses.replace(spec, entrypoint="slow_package"))
    wait_until(lambda: not alive(mark))


HANGING = """
import os, threading
print("reading", os.environ["SEAWAY_TRAIN"], flush=True)
threading.Event().wait()
"""


def test_a_plain_script_that_does_nothing_is_ended_with_its_stack(
    spec: TrainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process, without torch.distributed."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", "5")
    (tmp_path / "hanging.py").write_text(HANGING)
    script = {"script": str(tmp_path / "hanging.py"), "label": "y"}
    spec = dataclasses.replace(spec, entrypoint="seaway.training.script", params=script, workers=1)
    with pytest.raises(
        TrainingFailed, match=r"(?s)for 5 s .*\[rank 0\].*threading\.py.* in wait.*hanging\.py\", line 4"
    ):
        TorchrunTrainer().train(spec)
    wait_until(lambda: not alive(mark))


def test_a_training_that_computes_without_a_word_goes_on(spec: TrainSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", "3")
    assert TorchrunTrainer().train(how(spec, "compute")).metrics["workers"] == 2


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan"])
def test_a_time_that_is_none_is_refused_before_anything_starts(
    spec: TrainSpec, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SEAWAY_HEARTBEAT_S", text)
    with pytest.raises(InvalidSpec, match="SEAWAY_HEARTBEAT_S"):
        TorchrunTrainer().train(spec)
    assert not spec.output.exists()


@pytest.mark.parametrize(
    ("number", "libraries"),
    [
        *((signal.SIGTERM, ()), (signal.SIGINT, ()), (signal.SIGKILL, ())),
        *((signal.SIGTERM, ("torch",)), (signal.SIGKILL, ("torch",))),
    ],
)
def test_a_stopped_step_leaves_no_process_behind(
    spec: TrainSpec, tmp_path: Path, number: signal.Signals, libraries: tuple[str, ...]
) -> None:
    mark = uuid.uuid4().hex
    step = start(how(spec, "sleep"), tmp_path, mark, *libraries)
    assert step.stdout is not None
    for line in step.stdout:
        if "sleeping" in line:
            break
    assert len(alive(mark)) > 3
    commands = [Path(f"/proc/{pid}/cmdline").read_text() for pid in alive(mark)]
    assert any("elastic" in command for command in commands) is not bool(libraries), "torch is imported twice, or lost"
    step.send_signal(number)
    assert step.wait() != 0
    wait_until(lambda: not alive(mark))
    with pytest.raises(TrainingFailed):  # the next training, whatever becomes of it
        TorchrunTrainer().train(dataclasses.replace(spec, timeout_s=0.01))
    assert not list(spec.checkpoints.glob("*.job")), "its scratch is left behind"
