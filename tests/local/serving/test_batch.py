"""Predictions of many rows: what the package predicts, one row group after another, by any number of processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from seaway.errors import DataUnreadable, InvalidSpec, PackageRefused
from seaway.models import ExportedModel, verifying_key
from seaway.serving.batch import BatchSpec, predict
from small_package import WEATHER, small_package

ROWS, GROUP = 1000, 128


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return small_package(folder, folder / "home")


@pytest.fixture(scope="module")
def key(package: Path) -> Path:
    return verifying_key(package.parent / "home" / "keys")


def table(rows: int = ROWS, seed: int = 1) -> pa.Table:
    """With gaps, and a column that is no input."""
    random = np.random.default_rng(seed)
    distance = random.normal(1000, 300, rows)
    distance[::7] = np.nan
    weather = pa.FixedSizeListArray.from_arrays(pa.array(random.normal(size=rows * WEATHER)), WEATHER)
    plan = pa.array([None if place % 11 == 0 else "AA" for place in range(rows)])
    return pa.table({"key": range(rows), "plan": plan, "distance": distance, "weather": weather, "more": plan})


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    parquet.write_table(table(), folder / "a.parquet", row_group_size=GROUP)
    parquet.write_table(table(10, 2), folder / "b.parquet")
    parquet.write_table(table(0), folder / "c.parquet")
    return folder


def expected(package: Path, *tables: pa.Table) -> np.ndarray[Any, Any]:
    model = ExportedModel.load(package)
    return np.concatenate(
        [
            model.predict(
                {
                    "plan": np.array(one["plan"].to_pylist(), object).reshape(-1, 1),
                    "distance": np.array(one["distance"].to_pylist()).reshape(-1, 1),
                    "weather": np.array(one["weather"].to_pylist()),
                }
            )["probability"]
            for one in tables
        ]
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_every_row_is_predicted_in_order_as_the_package_does(
    package: Path, key: Path, rows: Path, tmp_path: Path, workers: int
) -> None:
    answers = tmp_path / "answers"
    result = predict(BatchSpec(package, rows, answers, key, keep=["key"], workers=workers, rows_at_once=50))
    read = parquet.read_table(answers)
    assert read["key"].to_pylist() == [*range(ROWS), *range(10)]
    np.testing.assert_allclose(read["probability"], expected(package, table(), table(10, 2)).ravel(), rtol=1e-6)
    assert (result.rows, result.parts, result.asked) == (ROWS + 10, 9, 9)
    assert result.outputs == {"probability": "FP32"}
    assert result.missing == {"probability": 0}
    assert result.inputs.keys() == {"a.parquet", "b.parquet", "c.parquet"}
    assert len(result.package) == len(result.signature) == 64


def test_a_run_that_is_killed_is_gone_on_with(package: Path, key: Path, rows: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    program = (
        "import sys, pathlib, time\n"
        "from seaway.serving.batch import BatchSpec, answer, predict\n"
        "whole = answer.Predictor.answer\n"
        "def slowly(self, part):\n"
        "    time.sleep(0.2)\n"
        "    return whole(self, part)\n"
        "answer.Predictor.answer = slowly\n"
        "predict(BatchSpec(*map(pathlib.Path, sys.argv[1:])))\n"
    )
    run = subprocess.Popen([sys.executable, "-c", program, str(package), str(rows), str(answers), str(key)])
    while len(list(answers.glob("part-*"))) < 2:
        assert run.poll() is None
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    before = {file: file.stat().st_mtime_ns for file in answers.glob("part-*")}
    result = predict(BatchSpec(package, rows, answers, key))
    assert result.asked == 9 - len(before)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert parquet.read_table(answers).num_rows == ROWS + 10
    assert predict(BatchSpec(package, rows, answers, key)).asked == 0


def test_shards_share_the_row_groups(package: Path, key: Path, rows: Path, tmp_path: Path) -> None:
    results = [predict(BatchSpec(package, rows, tmp_path / "a", key, shard=place, shards=2)) for place in range(2)]
    assert [one.parts for one in results] == [5, 4]
    assert sum(one.rows for one in results) == parquet.read_table(tmp_path / "a").num_rows == ROWS + 10


def test_answers_to_something_else_are_not_mixed(package: Path, key: Path, rows: Path, tmp_path: Path) -> None:
    predict(BatchSpec(package, rows, tmp_path / "a", key))
    parquet.write_table(table(10, 3), rows / "b.parquet")
    with pytest.raises(InvalidSpec, match="answers of another run, whose inputs differ"):
        predict(BatchSpec(package, rows, tmp_path / "a", key))


def test_what_cannot_be_predicted_is_told_by_its_place(package: Path, key: Path, rows: Path, tmp_path: Path) -> None:
    other = table(10).set_column(2, "distance", pa.array(["far"] * 10))
    parquet.write_table(other, rows / "b.parquet")
    with pytest.raises(DataUnreadable, match=r"Row group 0 of .*b\.parquet cannot be predicted: .*distance"):
        predict(BatchSpec(package, rows, tmp_path / "a", key))
    assert len(list((tmp_path / "a").glob("part-*"))) == 8
    parquet.write_table(table(10).drop_columns(["plan"]), rows / "b.parquet")
    with pytest.raises(DataUnreadable, match=r"b\.parquet has no columns \['plan'\]"):
        predict(BatchSpec(package, rows, tmp_path / "b", key))
    with pytest.raises(InvalidSpec, match=r"\['probability'\] are kept"):
        predict(BatchSpec(package, rows, tmp_path / "b", key, keep=["probability"]))
    with pytest.raises(DataUnreadable, match="holds none"):
        predict(BatchSpec(package, tmp_path / "nowhere", tmp_path / "b", key))


def test_a_package_that_was_changed_answers_nothing(package: Path, key: Path, rows: Path, tmp_path: Path) -> None:
    copy = tmp_path / "package"
    copy.mkdir()
    for file in package.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / "lineage.json").write_text(json.dumps({}))
    with pytest.raises(PackageRefused):
        predict(BatchSpec(copy, rows, tmp_path / "a", key))
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"rows_at_once": 0}, {"shard": 1}, {"shards": 0}, {"shard": -1}])
def test_numbers_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidSpec, match=next(iter(wrong))):
        BatchSpec(tmp_path, tmp_path, tmp_path, tmp_path, **wrong)
