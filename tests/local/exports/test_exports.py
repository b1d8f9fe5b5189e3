"""Exported pipelines, carried out by the programs that they are written for: what a step gives reaches the next."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from places import LOCAL_PROGRAMS
from slurm_cluster import SlurmCluster

from training_processes import wait_until  # isort: skip

SEAWAY = str(Path(sys.executable).with_name("seaway"))
MANY = {"many": "3 rows, 3 lines", "a": "3 rows, 3 lines", "b": "3 rows, 3 lines", "end": "SUCCEEDED", "flaky": ""}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def export(target: str, folder: Path) -> Path:
    file = folder / target / "exported.py"
    pipeline = str(LOCAL_PROGRAMS / "exported_pipeline.py")
    subprocess.run([SEAWAY, "export", target, pipeline, "--to", str(file)], check=True)
    return file


def environment(tmp_path: Path, **parameters: object) -> dict[str, str]:
    given = {"SEAWAY_PARAMETERS": json.dumps({"folder": str(tmp_path / "out"), **parameters})}
    return {**os.environ, **given, "SEAWAY": SEAWAY, "SEAWAY_HOME": str(tmp_path / "home"), "RUN": "monday"}


def left(out: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in out.iterdir()}


def make(file: Path, environment: Mapping[str, str]) -> int:
    return subprocess.run(["make", "-f", str(file)], env=environment, check=False).returncode


def test_make_runs_it_and_goes_on_where_it_failed(tmp_path: Path, out: Path) -> None:
    file = export("make", tmp_path)
    assert make(file, environment(tmp_path, broken=True)) != 0
    assert left(out) == {"flaky": "", "end": "FAILED"}, "what is behind a failure has run, or the exit task has not"
    before = (tmp_path / "home" / "runs" / "monday" / "results" / "exit-handler-1" / "make.json").stat().st_mtime_ns
    assert make(file, environment(tmp_path)) == 0
    assert left(out) == {**MANY, "end": "FAILED"}, "an exit task that has run is not run again"
    after = (tmp_path / "home" / "runs" / "monday" / "results" / "exit-handler-1" / "make.json").stat().st_mtime_ns
    assert before == after, "what had succeeded was done again"


def test_slurm_runs_it_as_jobs_that_wait_for_each_other(shared_slurm: SlurmCluster, tmp_path: Path, out: Path) -> None:
    file = export("slurm", tmp_path)
    variables = {**environment(tmp_path, rows=2), "SLURM_CONF": str(shared_slurm.conf)}
    done = subprocess.run(["sh", str(file)], env=variables, check=True, capture_output=True, text=True)
    last = done.stdout.split()[-1]
    shown = ("squeue", "--states=all", "--format=%T", f"--job={last}")
    wait_until(lambda: "COMPLETED" in shared_slurm.command(*shown), 0.2)
    few = {"few" if name == "many" else name: text.replace("3", "2") for name, text in MANY.items()}
    assert left(out) == few


@pytest.mark.skipif("SEAWAY_TEST_LUIGI" not in os.environ, reason="SEAWAY_TEST_LUIGI names no environment with Luigi")
def test_luigi_runs_it(tmp_path: Path, out: Path) -> None:
    file, variables = export("luigi", tmp_path), environment(tmp_path)
    python = str(Path(os.environ["SEAWAY_TEST_LUIGI"]) / "bin" / "python")
    words = ["--local-scheduler", "--run-name", "monday", "--parameters", variables["SEAWAY_PARAMETERS"]]
    subprocess.run([python, str(file), "Pipeline", *words], env=variables, check=True, capture_output=True)
    assert left(out) == MANY


@pytest.mark.skipif(
    "SEAWAY_TEST_AIRFLOW" not in os.environ, reason="SEAWAY_TEST_AIRFLOW names no environment with Airflow 3"
)
@pytest.mark.parametrize("broken", [False, True])
def test_airflow_runs_it_and_its_run_fails_with_a_task(tmp_path: Path, out: Path, broken: bool) -> None:
    file = export("airflow", tmp_path)
    program = str(Path(os.environ["SEAWAY_TEST_AIRFLOW"]) / "bin" / "airflow")
    variables = environment(tmp_path) | {
        "AIRFLOW_HOME": str(tmp_path / "airflow-home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(file.parent),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    subprocess.run([program, "db", "migrate"], env=variables, check=True, capture_output=True)
    given = json.dumps({"folder": str(out), "broken": broken})
    command = [program, "dags", "test", "exported", "--conf", given]
    told = subprocess.run(command, env=variables, check=False, capture_output=True, text=True)
    assert ("state=success" if not broken else "state=failed") in told.stdout + told.stderr
    assert left(out) == ({"flaky": "", "end": "FAILED"} if broken else MANY)
