"""What killed runs and careless hands leave in a state folder is found, each with its cure; a whole folder is well."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from dev_pages import step, write_run
from seaway.kfp.local.folder_checkup import folder_checkup
from seaway.models.signing import PRIVATE_KEY, PUBLIC_KEY
from seaway.platforms.findings import Finding, State
from seaway.storage import write_json

RUN = "20260102-030405-ab12"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    (tmp_path / "keys").mkdir()
    for name in (PRIVATE_KEY, PUBLIC_KEY):
        (tmp_path / "keys" / name).write_text("key")
        (tmp_path / "keys" / name).chmod(0o600)
    write_run(tmp_path, RUN, step(1, "make"))
    endpoint(tmp_path, psutil.Process())
    return tmp_path


def endpoint(home: Path, process: psutil.Process, started: float = 0.0) -> None:
    folder = home / "endpoints" / f"churn-{RUN}"
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "endpoint.json", {"run": RUN})
    write_json(folder / "envoy.pid.json", {"pid": process.pid, "started": started or process.create_time()})


def bad(home: Path) -> list[Finding]:
    return [one for one in folder_checkup(home) if one.state is not State.GOOD]


def test_a_whole_folder_is_well(home: Path) -> None:
    assert bad(home) == []


def test_keys_that_others_may_read_or_that_are_gone_are_found(home: Path) -> None:
    (home / "keys" / PRIVATE_KEY).chmod(0o644)
    [found] = bad(home)
    assert found.advice.startswith("chmod 600")
    (home / "keys" / PRIVATE_KEY).chmod(0o600)
    (home / "keys" / PUBLIC_KEY).unlink()
    assert "no package can be verified" in bad(home)[0].what


def test_a_setting_that_names_no_backend_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_TRAFFIC", "wagons")
    [found] = bad(home)
    assert ("wagons" in found.what, "seaway backends" in found.advice) == (True, True)


@pytest.mark.parametrize("text", ["{", "[]", '{"run": "x"}'])
def test_a_record_that_cannot_be_read_is_found(home: Path, text: str) -> None:
    folder = home / "runs" / "20260103-030405-cd34"
    folder.mkdir()
    (folder / "run.json").write_text(text)
    [found] = bad(home)
    assert found.advice == f"rm -r {folder}"


def test_a_clock_that_went_back_is_found(home: Path) -> None:
    write_run(home, RUN, step(1, "make"), begun=time.time() + 3600)
    assert "clock" in bad(home)[0].what


def test_processes_that_a_killed_run_has_left_are_found(home: Path) -> None:
    write_run(home, RUN, step(1, "make", state="running"), state="running", process=2**22, process_started=1.0)
    environment = {**os.environ, "SEAWAY_RUN_ID": RUN}
    left = subprocess.Popen([sys.executable, "-c", "input()"], env=environment, stdin=subprocess.PIPE)
    try:
        [found] = bad(home)
    finally:
        left.kill()
        left.wait()
    assert ("has left 1 processes" in found.what, found.advice) == (True, f"seaway down {RUN}")


def test_an_endpoint_of_which_a_process_ended_is_found(home: Path) -> None:
    endpoint(home, psutil.Process(), started=1.0)
    [found] = bad(home)
    assert ("envoy ended" in found.what, f"seaway down {RUN}" in found.advice) == (True, True)
