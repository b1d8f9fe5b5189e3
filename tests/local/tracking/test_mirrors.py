"""A run of a real MLflow store in the forms of W&B, Comet and TensorBoard, written by their own packages."""

import json
import math
import os
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import InvalidSpec
from seaway.platforms.mlflow import MlflowRegistry
from seaway.tracking import TrackedRun, mirror
from seaway_runs import SEAWAY

HISTORY = [{"epoch": epoch, "loss": 1 / (epoch + 1)} for epoch in range(3)]
NAME = "<b>late & odd</b>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAWAY_HOME", str(folder))
        patch.setenv("SEAWAY_RUN_ID", "tracked-run")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def run(home: Path) -> str:
    registry = MlflowRegistry()
    run = registry.log_training(NAME, {"lr": 0.1}, {"auc": 0.75}, HISTORY, "0" * 64)
    with registry.session() as client:
        client.log_text(run, "rows\n", "notes/deep/rows.txt")
    return run


@pytest.fixture
def proxy() -> Iterator[socket.socket]:
    """Where requests to the network would arrive."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def mirrored(run: str, to: str, into: Path, proxy: socket.socket) -> dict[str, Any]:
    address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
    environment = {**os.environ, "HTTP_PROXY": address, "HTTPS_PROXY": address, "NO_PROXY": ""}
    command = [str(SEAWAY), "runs", "mirror", run, "--to", to, "--into", str(into), "-o", "json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.raises(BlockingIOError):  # nothing has come
        proxy.accept()
    [told] = json.loads(done.stdout)
    return dict(told)


def test_wandb_reads_its_values_steps_times_and_files(run: str, tmp_path: Path, proxy: socket.socket) -> None:
    told = mirrored(run, "wandb", tmp_path, proxy)
    records = wandb_records(Path(told["path"]))
    [opened] = [one.run for one in records if one.WhichOneof("record_type") == "run"]
    assert (opened.display_name, opened.project) == (NAME, "seaway")
    assert {one.key: json.loads(one.value_json) for one in opened.config.update}["lr"] == "0.1"
    rows = [
        {one.key or one.nested_key[0]: json.loads(one.value_json) for one in record.history.item}
        for record in records
        if record.WhichOneof("record_type") == "history"
    ]
    losses = {row["_step"]: row["curve/loss"] for row in rows}
    assert losses == {row["epoch"]: row["loss"] for row in HISTORY}
    [metric] = [one for one in history_of(run, "curve/loss") if one.step == 2]
    assert math.isclose(rows[-1]["_timestamp"], metric.timestamp / 1000)
    assert Path(told["path"], "files/notes/deep/rows.txt").read_text() == "rows\n"
    saved = {each.path for one in records if one.WhichOneof("record_type") == "files" for each in one.files.files}
    assert "notes/deep/rows.txt" in saved
    refused_again(run, "wandb", tmp_path)


def refused_again(run: str, to: str, into: Path) -> None:
    with pytest.raises(InvalidSpec, match="is there already"):
        mirror(TrackedRun(run, NAME, "seaway"), to, into)


def wandb_records(folder: Path) -> list[Any]:
    """The records of a run's file, as W&B's own code reads them."""
    from wandb.proto.wandb_internal_pb2 import Record

    [path] = folder.glob("*.wandb")
    return [Record.FromString(data) for data in leveldb_records(path.read_bytes()[7:])]


def leveldb_records(data: bytes) -> Iterator[bytes]:
    """The records of LevelDB's log format: blocks of 32 kB, of chunks with checksum, length and kind (1 whole)."""
    at, parts, begin = 0, b"", 7
    while at + 7 <= len(data):
        room = 32768 - (begin + at) % 32768
        if room < 7:
            at += room
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


def history_of(run: str, name: str) -> list[Any]:
    with MlflowRegistry().session() as client:
        return list(client.get_metric_history(run, name))


def test_comet_has_all_but_the_times(run: str, tmp_path: Path, proxy: socket.socket) -> None:
    told = mirrored(run, "comet", tmp_path, proxy)
    with zipfile.ZipFile(told["path"]) as archive:
        about = json.loads(archive.read("experiment.json"))
        messages = [json.loads(line) for line in archive.read("messages.json").splitlines()]
        payloads = [one["payload"] for one in messages]
        assets = [one for one in payloads if one.get("upload_type") == "asset"]
        assert archive.read(assets[0]["file_path"]) == b"rows\n"
    assert about["project_name"] == "seaway"
    assert [one["additional_params"]["fileName"] for one in assets] == ["notes/deep/rows.txt"]
    losses = {one["metric"]["step"]: one["metric"]["metricValue"] for one in payloads if is_loss(one)}
    assert losses == {row["epoch"]: row["loss"] for row in HISTORY}
    others = {one["key"]: one["value"] for one in payloads if "key" in one}
    assert (others["Name"], others["seaway.run"]) == (NAME, "tracked-run")
    assert told["left"] == ["the times of values, which are those of the mirror"]
    refused_again(run, "comet", tmp_path)


def is_loss(payload: dict[str, Any]) -> bool:
    return bool(payload.get("metric", {}).get("metricName") == "curve/loss")


def test_tensorboard_reads_curves_with_times_and_parameters(run: str, tmp_path: Path, proxy: socket.socket) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    told = mirrored("tracked-run", "tensorboard", tmp_path, proxy)
    events = EventAccumulator(told["path"])
    events.Reload()
    read = [(one.step, one.value, one.wall_time) for one in events.Scalars("curve/loss")]
    kept = [(one.step, one.value, one.timestamp / 1000) for one in history_of(run, "curve/loss")]
    assert read == [(step, pytest.approx(value), time) for step, value, time in kept]
    assert events.Scalars("last/auc")[0].value == pytest.approx(0.75)
    assert b"lr" in b"".join(events.SummaryMetadata(tag).plugin_data.content for tag in hparams(events))
    assert told["left"] == ["1 files"]
    refused_again(run, "tensorboard", tmp_path)


def hparams(events: Any) -> list[str]:
    return [tag for tag in events.summary_metadata if tag.startswith("_hparams_")]


def test_a_run_that_tracked_nothing_is_told(home: Path, tmp_path: Path) -> None:
    command = [str(SEAWAY), "runs", "mirror", "no-such-run", "--to", "wandb", "--into", str(tmp_path / "it")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "track_as" in done.stderr, done.stdout + done.stderr
    assert not (tmp_path / "it").exists()
