"""A run that asks: approved it goes on and is told of, refused it ends and says by whom."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asking_pipeline
import pytest
import seaway_runs
from seaway.cli.app import app
from seaway.platforms.local.approvals import FileApprovals
from typer.testing import CliRunner
from webhook import Webhook, webhook

PATIENCE_S = 300


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def decided(home: Path, receiver: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    """The run, which is decided about once it asks."""
    monkeypatch.setenv("SEAWAY_HOME", str(home))
    with ThreadPoolExecutor(1) as other:
        run = other.submit(seaway_runs.run, home, asking_pipeline.__file__, SEAWAY_NOTIFY=receiver)
        deadline = time.monotonic() + PATIENCE_S
        while not (asked := FileApprovals().pending()):
            assert not run.done(), run.result()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        done = CliRunner().invoke(app, ["approve", asked[0].run, *words])
        assert done.exit_code == 0, done.output
        return run.result()


def test_an_approved_run_goes_on_with_whose_leave_it_was(
    tmp_path: Path, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = decided(tmp_path, hook.address, monkeypatch, "--why", "tested by hand")
    assert done.returncode == 0, done.stdout + done.stderr
    approval = json.loads((seaway_runs.artifact(tmp_path, "await-approval", "approval") / "approval.json").read_text())
    assert approval["decision"]["why"] == "tested by hand"
    asked, ended = hook.heard
    assert "May it be released?" in asked["title"]
    assert f"seaway approve {approval['question']['run']}" in asked["message"]
    assert (ended["type"], "owner: Ada" in ended["message"]) == ("success", True)


def test_a_refused_run_fails_at_the_question_and_tells_why(
    tmp_path: Path, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = decided(tmp_path, hook.address, monkeypatch, "--refuse", "--why", "two slices are worse")
    assert done.returncode == 1
    assert "two slices are worse" in done.stdout + done.stderr
    assert "release" not in [step["name"] for step in seaway_runs.steps(tmp_path) if step["state"] == "done"]
    assert hook.heard[-1]["type"] == "failure"
    assert "two slices are worse" in hook.heard[-1]["message"]
