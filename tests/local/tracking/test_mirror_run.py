"""Mirroring as a step: of a tracked training, also where it was reused, and of all that a run has tracked."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from seaway_runs import SEAWAY, steps

PIPELINE = """
from kfp import dsl
from seaway.kfp import component
from seaway_components.tracking import mirror_run
from seaway_components.training import train_pytorch


@component
def make(rows: dsl.Output[dsl.Dataset]):
    import pandas as pd

    pd.DataFrame({"size": [0.5, -0.5, 1.0, -1.0] * 8, "good": [1, 0, 1, 0] * 8}).to_parquet(rows.path)


PARAMS = {"numeric": ["size"], "categorical": [], "label": "good", "epochs": 2, "hidden": []}


@dsl.pipeline(name="mirrored")
def mirrored(to: str = "wandb", run: str = "", name: str = "<b>plain & odd</b>"):
    rows = make().outputs["rows"]
    trained = train_pytorch(train=rows, validation=rows, params=PARAMS, track_as=name)
    mirror_run(model=trained.outputs["model"], to=to)
    mirror_run(to="tensorboard", run=run).after(trained)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mirrored")
    (folder / "mirrored.py").write_text(PIPELINE)
    return folder


def ran(project: Path, *words: str, home: str = "home") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SEAWAY_HOME": str(project / home)}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [str(SEAWAY), "run", "mirrored.py", *words]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def step(project: Path, name: str, home: str = "home") -> dict[str, Any]:
    [found] = [one for one in steps(project / home) if one["name"] == name]
    return found


def test_a_tracked_training_is_mirrored_as_a_step(project: Path) -> None:
    done = ran(project)
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = step(project, "mirror-run")["outputs"]
    [mirror] = Path(outputs["mirrors"]["uri"]).glob("wandb/offline-run-*/*.wandb")
    assert b"curve/loss" in mirror.read_bytes()
    told = Path(outputs["told"]["uri"]).read_text()
    assert f"    wandb sync wandb/{mirror.parent.name}\n" in told
    assert "## \\<b\\>plain \\& odd" in told
    assert "for wandb" in step(project, "mirror-run")["figure"]


def test_all_that_a_run_has_tracked_is_mirrored(project: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    [mirror] = Path(step(project, "mirror-run-2")["outputs"]["mirrors"]["uri"]).iterdir()
    events = EventAccumulator(str(mirror))
    events.Reload()
    assert [one.step for one in events.Scalars("curve/loss")] == [1, 2]


def test_a_training_that_was_reused_is_mirrored_by_the_run_that_made_it(project: Path) -> None:
    first = step(project, "mirror-run-2")["outputs"]["mirrors"]["uri"]
    failed = ran(project, "-p", "to=comet")
    assert step(project, "train-pytorch")["state"] == "cached"
    [mirror] = Path(step(project, "mirror-run")["outputs"]["mirrors"]["uri"]).glob("*.zip")
    assert mirror.stat().st_size
    assert Path(first).is_dir()
    assert failed.returncode == 0, failed.stdout + failed.stderr


def test_what_was_not_tracked_or_is_no_tracker_fails_the_step(project: Path) -> None:
    assert ran(project, "-p", "run=no-such-run").returncode == 1
    assert "Nothing of no-such-run was tracked" in step(project, "mirror-run-2")["reason"]
    assert ran(project, "-p", "to=neptune").returncode == 1
    assert "There are no mirrors to 'neptune'; there are those to comet" in step(project, "mirror-run")["reason"]
    assert ran(project, "-p", "name=", home="other").returncode == 1
    assert "was not tracked; give its step a name by `track_as`" in step(project, "mirror-run", "other")["reason"]
