"""`seaway doctor train` and `diagnose_training`, on runs of a pipeline whose labels were drawn by chance."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]
PIPELINE = """
from kfp import dsl
from seaway.kfp import component
from seaway_components.training import diagnose_training, train_pytorch


@component
def draw(train: dsl.Output[dsl.Dataset], validation: dsl.Output[dsl.Dataset]):
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(0)
    for split, rows in ((train, 500), (validation, 200)):
        columns = {name: random.normal(size=rows).astype(np.float32) for name in ("income", "age")}
        parquet.write_table(pa.table({**columns, "churned": random.integers(0, 2, rows)}), split.path)


@dsl.pipeline(name="drawn")
def drawn(label: str = "churned", stop: bool = False):
    rows = draw()
    data = {"train": rows.outputs["train"], "validation": rows.outputs["validation"]}
    params = {"numeric": ["income", "age"], "label": label, "hidden": [8], "epochs": 1, "batch_size": 64}
    examined = diagnose_training(**data, params=params, stop=stop).set_display_name("Examine")
    train_pytorch(**data, params=params).set_display_name("Train").after(examined)
"""
FAULT = "labels do not belong to the rows"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with a run that has ended well."""
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "drawn.py").write_text(PIPELINE)
    ran = seaway(folder, "run", "drawn.py")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


def seaway(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "SEAWAY_HOME": str(folder / "home")}
    return subprocess.run([*SEAWAY, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_command_takes_what_the_step_was_given_and_the_step_has_told_the_same(folder: Path) -> None:
    several = seaway(folder, "doctor", "train")
    assert several.returncode == 2 and "say which by --step" in several.stderr and "Examine, Train" in several.stderr
    told = seaway(folder, "doctor", "train", "--step", "Train", "--to", "page.html", "-o", "json")
    assert told.returncode == 1, told.stderr
    assert [fault["name"] for fault in json.loads(told.stdout)["faults"]] == [FAULT]
    assert f"Likely: {FAULT}" in (folder / "page.html").read_text()
    [record] = (folder / "home" / "runs").glob("*/run.json")
    [step] = [step for step in json.loads(record.read_text())["steps"] if step["title"] == "Examine"]
    assert step["outputs"]["Output"] == FAULT
    assert f"Likely: {FAULT}" in Path(step["outputs"]["page"]["uri"]).read_text()


def test_a_fault_stops_the_run_where_that_is_asked_for(folder: Path) -> None:
    stopped = seaway(folder, "run", "drawn.py", "-p", "stop=true")
    assert stopped.returncode == 1
    assert f"TrainingUnsound: {FAULT}" in stopped.stdout + stopped.stderr


def test_what_cannot_be_examined_says_why(folder: Path) -> None:
    assert seaway(folder, "run", "drawn.py", "-p", "label=gone").returncode == 1
    gone = seaway(folder, "doctor", "train", "--step", "Examine")
    assert gone.returncode == 1 and "has no column gone" in gone.stderr
    none = seaway(folder, "doctor", "train", "--step", "Cook")
    assert none.returncode == 2 and "has no training 'Cook'" in none.stderr
