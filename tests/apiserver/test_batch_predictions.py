"""Predictions as a Job before the real API server, whose pods' program runs here in the place of pods."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jobs
import pyarrow as pa
import pytest
from controllers import ending_jobs
from pyarrow import parquet
from seaway.errors import InvalidSpec, JobFailed
from seaway.models import verifying_key
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.serving import batch
from seaway.serving.batch import BatchSpec, predict
from small_package import WEATHER, small_package

ROWS, GROUP, PODS = 100, 30, 2


@pytest.fixture
def spec(tmp_path: Path, image: str, monkeypatch: pytest.MonkeyPatch, connection: Connection) -> BatchSpec:
    monkeypatch.setenv("SEAWAY_RUN_ID", "run-1")
    monkeypatch.setenv("SEAWAY_STORAGE", str(tmp_path / "storage"))
    monkeypatch.setenv("SEAWAY_SERVER_IMAGE", image)
    monkeypatch.setattr(batch, "connected", lambda: connection)
    table = pa.table({"plan": ["AA"] * ROWS, "distance": [1.0] * ROWS, "weather": [[0.5] * WEATHER] * ROWS})
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=GROUP)
    package = small_package(tmp_path, tmp_path / "home")
    key = verifying_key(tmp_path / "home" / "keys")
    return BatchSpec(package, tmp_path / "rows.parquet", tmp_path / "predictions", key)


def run_pods(tmp_path: Path, connection: Connection, name: str, but: tuple[int, ...] = ()) -> None:
    """Each index of the Job, as its container says, then the Job's end."""
    (job,) = (one for one in Objects(connection).list(batch.KIND.resource).items if one["metadata"]["name"] == name)
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    (container,) = spec["template"]["spec"]["containers"]
    given = {one["name"]: one["value"] for one in container["env"]}
    for index in set(range(spec["completions"])) - set(but):
        scratch = tmp_path / f"pod-{index}"
        scratch.mkdir(exist_ok=True)
        variables = {**given, "HOME": str(scratch), "TMPDIR": str(scratch), batch.SCRATCH_VARIABLE: str(scratch)}
        environment = {**os.environ, **variables, "JOB_COMPLETION_INDEX": str(index)}
        subprocess.run([sys.executable, *container["command"][1:]], env=environment, check=True)
    (jobs.fail if but else jobs.complete)(connection, name)


def test_pods_predict_what_one_process_does_and_leave_nothing_behind(
    spec: BatchSpec, connection: Connection, tmp_path: Path
) -> None:
    def end(where: Connection, name: str, *but: int) -> None:
        run_pods(tmp_path, where, name, but)

    with ending_jobs(connection, end=lambda where, name: end(where, name, 1)), pytest.raises(JobFailed):
        batch.JobPredictor().predict(spec, PODS)
    with ending_jobs(connection, end=end):
        result = batch.JobPredictor().predict(spec, PODS)
    assert (result.rows, result.parts) == (ROWS, 4)
    assert result.asked == 2, "what the first attempt's pods have answered is not asked for again"
    whole = BatchSpec(spec.package, spec.rows, tmp_path / "whole", spec.public_key)
    predict(whole)
    assert parquet.read_table(spec.predictions) == parquet.read_table(whole.predictions)
    assert [path for path in (tmp_path / "storage").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("pods", "changed"), [(0, {}), (2, {"shards": 2})])
def test_what_no_job_can_share_is_refused(spec: BatchSpec, pods: int, changed: dict[str, Any]) -> None:
    wrong = BatchSpec(spec.package, spec.rows, spec.predictions, spec.public_key, **changed)
    with pytest.raises(InvalidSpec, match="pods"):
        batch.JobPredictor().predict(wrong, pods)
    assert not spec.predictions.exists()
