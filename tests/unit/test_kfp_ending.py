"""What `seaway down` takes for a run that still goes, and what it says of an endpoint that will not go."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from seaway.cli.endpoints import new_run
from seaway.kfp import ending
from seaway.kfp.recording import Record
from seaway.platforms.local import processes
from seaway.storage import read_json, write_json


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    return tmp_path


def recorded(home: Path, **changes: Any) -> Path:
    """A run of this process, as its runner records it while it runs."""
    folder = home / "runs" / "r1"
    folder.mkdir(parents=True)
    Record("r1", "flights", folder, {}, 1, lambda step: None, process=os.getpid()).write()
    write_json(folder / "run.json", {**read_json(folder / "run.json"), **changes})
    return folder / "run.json"


def test_a_run_whose_runner_is_alive_is_left_alone(home: Path) -> None:
    file = recorded(home)
    assert ending.end_all() == []
    assert read_json(file)["state"] == "running"


def test_a_dead_run_does_not_go_on_because_another_process_has_its_pid(home: Path) -> None:
    file = recorded(home, process_started=psutil.Process().create_time() - 1)
    ending.end_all()
    assert read_json(file)["state"] == "interrupted"


@pytest.mark.parametrize("words", [["r1"], ["--all"], ["r1", "-o", "json"]], ids=" ".join)
def test_an_endpoint_that_cannot_be_removed_fails_down_and_keeps_no_process(home: Path, words: list[str]) -> None:
    folder = home / "endpoints" / "flights-r1"
    folder.mkdir(parents=True)
    write_json(folder / "endpoint.json", {"name": "flights", "run": "r1"})  # damaged: no adapter can read it
    sleeper = subprocess.Popen(["sleep", "60"], env={**os.environ, "SEAWAY_RUN_ID": "r1"})
    program = "from seaway.cli import main; main()"
    down = subprocess.run([sys.executable, "-c", program, "down", *words], capture_output=True, text=True, check=False)
    assert down.returncode == 1
    assert "Endpoint flights-r1 could not be removed" in down.stderr
    assert "Traceback" not in down.stderr
    assert str(sleeper.pid) in down.stdout
    assert sleeper.wait(10) != 0


def test_deployments_by_hand_within_one_second_have_names_of_their_own() -> None:
    assert len({new_run() for _ in range(5)}) > 1


def test_a_process_is_known_by_its_start_too() -> None:
    started = psutil.Process().create_time()
    assert processes.running(os.getpid(), started)
    assert not processes.running(os.getpid(), started - 1)
