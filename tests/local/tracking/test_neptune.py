"""An export as Neptune's exporter documents it, in a real MLflow store."""

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.platforms.mlflow import MlflowRegistry
from seaway.platforms.mlflow_runs import record
from seaway.tracking import TrackedRun, neptune_runs
from seaway_runs import SEAWAY

TIME = datetime(2025, 3, 1, 12, tzinfo=UTC)
BINS = pa.struct({"type": pa.string(), "edges": pa.list_(pa.float64()), "values": pa.list_(pa.float64())})
SCHEMA = pa.schema(
    {
        "project_id": pa.string(),
        "run_id": pa.string(),
        "attribute_path": pa.string(),
        "attribute_type": pa.string(),
        "step": pa.decimal128(18, 6),
        "timestamp": pa.timestamp("ms", "UTC"),
        "int_value": pa.int64(),
        "float_value": pa.float64(),
        "string_value": pa.string(),
        "bool_value": pa.bool_(),
        "datetime_value": pa.timestamp("ms", "UTC"),
        "string_set_value": pa.list_(pa.string()),
        "file_value": pa.struct({"path": pa.string()}),
        "histogram_value": BINS,
    }
)
HISTOGRAM = {"type": "COUNTING", "edges": [0.0, 1.0, 2.0], "values": [3.0, 4.0]}


def row(path: str, kind: str, step: str | None = None, **values: Any) -> dict[str, Any]:
    timed = {"step": Decimal(step), "timestamp": TIME} if step is not None else {}
    named = {"project_id": "team/late", "run_id": "RUN-1", "attribute_path": path, "attribute_type": kind}
    return named | timed | values


def new_folder(root: Path) -> Path:
    (root / "fetched").mkdir()
    return root / "fetched"


ROWS = [
    row("config/lr", "float", float_value=0.1),
    row("config/layers", "int", int_value=3),
    row("config/lr:max", "string", string_value="x" * 900),
    row("config/shuffle", "bool", bool_value=True),
    row("sys/creation_time", "datetime", datetime_value=TIME),
    row("sys/tags", "string_set", string_set_value=["b", "a"]),
    row("loss", "float_series", "0.5", float_value=2.0),
    row("loss", "float_series", "1", float_value=float("nan")),
    row("log", "string_series", "1", string_value="<script>alert(1)</script>"),
    row("../weights", "histogram_series", "1", histogram_value=HISTOGRAM),
    row("../../model", "file", file_value={"path": "late/model.bin"}),
    row("shown", "file_series", "1.5", file_value={"path": "late/shown.png"}),
    row("code", "file_set", file_value={"path": "late/code"}),
]


def export(root: Path, rows: list[dict[str, Any]], part: int = 0) -> tuple[Path, Path]:
    data, files = root / "data", root / "files"
    (data / "late").mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), data / "late" / f"RUN-1_part_{part}.parquet")
    (files / "late" / "code" / "deep").mkdir(parents=True, exist_ok=True)
    for name in ("model.bin", "shown.png", "code/deep/train.py"):
        (files / "late" / name).write_text(name)
    return data, files


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAWAY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield Path(os.environ["SEAWAY_HOME"])


def imported(data: Path, files: Path) -> list[dict[str, Any]]:
    command = [str(SEAWAY), "runs", "import", str(data), "--files", str(files), "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return list(json.loads(done.stdout))


def test_all_that_a_run_had_is_in_mlflow_once(tmp_path: Path, home: Path) -> None:
    data, files = export(tmp_path, ROWS[:7])
    export(tmp_path, ROWS[7:], part=1)
    [told] = imported(data, files)
    with MlflowRegistry().session() as client:
        run = client.get_run(told["run"])
        losses = client.get_metric_history(told["run"], "loss")
        kept = Path(client.download_artifacts(told["run"], "", str(new_folder(tmp_path))))
    assert run.info.run_name == "RUN-1" and run.info.status == "FINISHED"
    params = run.data.params
    assert (params["config/lr"], params["config/layers"], params["sys/tags"]) == ("0.1", "3", "a,b")
    assert (params["config/shuffle"], params["sys/creation_time"]) == ("True", "2025-03-01T12:00:00+00:00")
    assert json.loads((kept / "params.json").read_text()) == {"config/lr:max": "x" * 900}
    assert [(one.step, one.timestamp) for one in losses] == [(5, 1740830400000), (10, 1740830400000)]
    assert losses[0].value == 2.0 and losses[1].value != losses[1].value
    assert run.data.tags["neptune.step_multiplier"] == "10"
    assert (kept / "files/shown/step_1.5/shown.png").read_text() == "shown.png"
    assert (kept / "files/code/deep/train.py").read_text() == "code/deep/train.py"
    [model] = kept.rglob("model.bin")
    assert model.resolve().is_relative_to(kept.resolve())
    [weights] = kept.rglob("weights.jsonl")
    assert json.loads(weights.read_text())["value"] == HISTOGRAM
    assert json.loads((kept / "series/log.jsonl").read_text())["value"] == "<script>alert(1)</script>"
    assert imported(data, files) == [{**told, "run": None}]


def test_an_import_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    [run] = neptune_runs(*export(tmp_path, [{**one, "run_id": "RUN-2"} for one in ROWS]), tmp_path / "kept")
    broken = TrackedRun(run.key, run.name, run.experiment, files={"a": tmp_path / "gone"})
    with pytest.raises(FileNotFoundError):
        record(broken)
    again = record(run)
    assert again
    with MlflowRegistry().session() as client:
        experiment = client.get_experiment_by_name("team/late").experiment_id
        assert [one.info.run_id for one in client.search_runs([experiment], "attributes.run_name = 'RUN-2'")] == [again]


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname", "late/link"])
def test_a_file_outside_the_export_is_refused(path: str, tmp_path: Path) -> None:
    data, files = export(tmp_path, [row("model", "file", file_value={"path": path})])
    (tmp_path / "outside").write_text("secret")
    (files / "late" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidSpec, match="outside"):
        list(neptune_runs(data, files, tmp_path / "kept"))


def test_a_link_in_a_set_of_files_that_leads_out_is_refused(tmp_path: Path) -> None:
    data, files = export(tmp_path, ROWS)
    (tmp_path / "outside").write_text("secret")
    (files / "late" / "code" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidSpec, match="outside"):
        list(neptune_runs(data, files, tmp_path / "kept"))


def test_what_is_missing_or_not_known_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="no runs"):
        list(neptune_runs(tmp_path, tmp_path, tmp_path / "kept"))
    data, files = export(tmp_path, ROWS, part=1)
    with pytest.raises(DataUnreadable, match="not whole"):
        list(neptune_runs(data, files, tmp_path / "kept"))
    export(tmp_path, [row("model", "file", file_value={"path": "late/gone.bin"})])
    with pytest.raises(DataUnreadable, match="missing"):
        list(neptune_runs(data, files, tmp_path / "kept"))
    export(tmp_path, [row("model", "video")])
    with pytest.raises(InvalidSpec, match="'video'"):
        list(neptune_runs(data, files, tmp_path / "kept"))
    (data / "late" / "RUN-1_part_0.parquet").write_text("no Parquet")
    with pytest.raises(DataUnreadable, match="cannot be read"):
        list(neptune_runs(data, files, tmp_path / "kept"))
