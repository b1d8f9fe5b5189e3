"""A training that hangs is a failed step, and wherever the run is told of it says so, with where it stood."""

import json
import os
import subprocess
import sys
from pathlib import Path

SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]
PIPELINE = """
from kfp import dsl
from seaway.kfp import component
from seaway_components.training import train_pytorch


@component
def rows(split: dsl.Output[dsl.Dataset]):
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": [0.0, 1.0], "y": [0, 1]}), split.path)


@dsl.pipeline(name="becalmed")
def becalmed():
    data = rows().outputs["split"]
    others = rows().outputs["split"]
    train_pytorch(train=data, validation=others, entrypoint="becalmed_trainer").set_display_name("Train")
"""
HANGING = """
import threading

def wait_for_wind():
    threading.Event().wait()

wait_for_wind()
"""
STOOD = ("The training hangs and was stopped", "wait_for_wind")


def seaway(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ, "SEAWAY_HOME": str(folder / "home"), "SEAWAY_HEARTBEAT_S": "5", "PYTHONPATH": str(folder),
    }  # fmt: skip
    return subprocess.run([*SEAWAY, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_hang_is_told_by_the_run_its_record_and_the_list_of_runs(tmp_path: Path) -> None:
    (tmp_path / "becalmed.py").write_text(PIPELINE)
    (tmp_path / "becalmed_trainer.py").write_text(HANGING)
    ran = seaway(tmp_path, "run", "becalmed.py")
    assert ran.returncode == 1
    assert all(word in ran.stderr for word in ("Step 'Train' failed", *STOOD)), ran.stderr
    [record] = (tmp_path / "home" / "runs").glob("*/run.json")
    [listed] = json.loads(seaway(tmp_path, "runs", "-o", "json").stdout)
    for told in (json.loads(record.read_text()), listed):
        [step] = [step for step in told["steps"] if step["title"] == "Train"]
        assert (told["state"], step["state"]) == ("failed", "failed")
        assert all(word in step["reason"] for word in STOOD), step["reason"]
