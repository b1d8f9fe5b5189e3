"""A run that asks: approved it goes on and is told of, refused it ends and says by whom."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT

import asking_pipeline
import pytest
import seaway_runs
from webhook import Webhook, webhook

QUESTION = "May it be released?"


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def decided(home: Path, receiver: str, *words: str) -> tuple[int, str]:
    """Exit code and output of the run, which is decided about as the line that it prints says."""
    environment = {**os.environ, "SEAWAY_HOME": str(home), "SEAWAY_NOTIFY": receiver}
    command = [seaway_runs.SEAWAY, "run", asking_pipeline.__file__]
    told = []
    with subprocess.Popen(command, env=environment, stdout=PIPE, stderr=STDOUT, text=True) as run:
        for line in run.stdout or ():
            told.append(line)
            if "asks" in line and QUESTION in line:
                answer = [str(seaway_runs.SEAWAY), *line.split("seaway ")[1].split(), *words]
                subprocess.run(answer, env=environment, check=True, capture_output=True)
    return run.returncode, "".join(told)


def test_an_approved_run_goes_on_with_whose_leave_it_was(tmp_path: Path, hook: Webhook) -> None:
    code, told = decided(tmp_path, hook.address, "--why", "tested by hand")
    assert code == 0, told
    assert told.count(QUESTION) == 1
    approval = json.loads((seaway_runs.artifact(tmp_path, "await-approval", "approval") / "approval.json").read_text())
    assert approval["decision"]["why"] == "tested by hand"
    asked, ended = hook.heard
    assert QUESTION in asked["title"]
    assert f"seaway approve {approval['question']['run']}" in asked["message"]
    assert (ended["type"], "owner: Ada" in ended["message"]) == ("success", True)


def test_a_refused_run_fails_at_the_question_and_tells_why(tmp_path: Path, hook: Webhook) -> None:
    code, told = decided(tmp_path, hook.address, "--refuse", "--why", "two slices are worse")
    assert code == 1
    assert "two slices are worse" in told
    assert "release" not in [step["name"] for step in seaway_runs.steps(tmp_path) if step["state"] == "done"]
    assert hook.heard[-1]["type"] == "failure"
    assert "two slices are worse" in hook.heard[-1]["message"]
