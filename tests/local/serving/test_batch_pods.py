"""Predictions shared by pods: their program as a Job starts it, over a storage of files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models import verifying_key
from seaway.serving.batch import BatchResult, BatchSpec, predict
from seaway.serving.batch.predict import InProcess
from seaway.serving.batch.remote import SCRATCH_VARIABLE, SHARD_VARIABLE, VARIABLE, RemoteBatch, merged
from small_package import WEATHER, small_package

ROWS, GROUP, PODS = 300, 64, 2


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> BatchSpec:
    folder = tmp_path_factory.mktemp("batch")
    (folder / "rows").mkdir()
    random = np.random.default_rng(1)
    weather = pa.FixedSizeListArray.from_arrays(pa.array(random.normal(size=ROWS * WEATHER)), WEATHER)
    table = pa.table(
        {"key": range(ROWS), "plan": ["AA"] * ROWS, "distance": random.normal(size=ROWS), "weather": weather}
    )
    parquet.write_table(table, folder / "rows" / "a.parquet", row_group_size=GROUP)
    package = small_package(folder, folder / "home")
    return BatchSpec(package, folder / "rows", folder / "whole", verifying_key(folder / "home" / "keys"), ["key"])


@pytest.fixture
def batch(spec: BatchSpec, tmp_path: Path) -> RemoteBatch:
    """As a step puts it into the storage, which is a folder here."""
    root = tmp_path / "storage"
    root.mkdir()
    (root / "package").symlink_to(spec.package)
    (root / "rows").symlink_to(spec.rows)
    return RemoteBatch.of(spec, str(root), PODS)


def run(batch: RemoteBatch, shard: int | str, scratch: Path) -> subprocess.CompletedProcess[str]:
    scratch.mkdir(exist_ok=True)
    environment = {**os.environ, VARIABLE: batch.text, SHARD_VARIABLE: str(shard), SCRATCH_VARIABLE: str(scratch)}
    command = [sys.executable, "-m", "seaway.serving.batch.pod"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_pods_answer_what_one_process_does_and_a_second_attempt_asks_for_nothing(
    spec: BatchSpec, batch: RemoteBatch, tmp_path: Path
) -> None:
    whole = predict(spec)
    for shard in range(PODS):
        done = run(batch, shard, tmp_path / f"pod-{shard}")
        assert done.returncode == 0, done.stderr
    results = [BatchResult.read(Path(batch.result(shard))) for shard in range(PODS)]
    assert merged(results) == whole
    assert [result.parts for result in results] == [3, 2]
    answers = sorted(Path(batch.predictions).glob("part-*.parquet"))
    assert pa.concat_tables(map(parquet.read_table, answers)) == parquet.read_table(spec.predictions)
    Path(batch.predictions, answers[2].name).unlink()  # as if its pod had been ended before it
    again = run(batch, 0, tmp_path / "pod-again")
    assert (again.returncode, BatchResult.read(Path(batch.result(0))).asked) == (0, 1)


def test_a_pod_that_has_no_share_or_another_signers_package_says_so(
    spec: BatchSpec, batch: RemoteBatch, tmp_path: Path
) -> None:
    refused = run(batch, "", tmp_path / "pod")
    assert (refused.returncode, SHARD_VARIABLE in refused.stderr) == (1, True)
    stranger = small_package(tmp_path, tmp_path / "other")
    Path(batch.package).unlink()
    Path(batch.package).symlink_to(stranger)
    refused = run(batch, 0, tmp_path / "pod-of-another")
    assert (refused.returncode, "PackageRefused" in refused.stderr) == (1, True)
    assert not Path(batch.result(0)).exists()


def test_what_is_no_work_is_told(spec: BatchSpec, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=VARIABLE):
        RemoteBatch.parse({})
    with pytest.raises(InvalidSpec, match="shards"):
        RemoteBatch.of(spec, "s3://bucket", 0)
    with pytest.raises(InvalidSpec, match="backend 'job'"):
        InProcess().predict(spec, 2)
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(DataUnreadable, match="no predictions"):
        BatchResult.read(tmp_path / "result.json")
