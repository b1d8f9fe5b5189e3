"""The bundled trainer on real processes: the same model on any number of them, and through any interruption."""

import dataclasses
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from seaway.errors import TrainingFailed
from seaway.models import ExportedModel
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.storage import sha256
from seaway.training import TrainResult, TrainSpec
from seaway.training.tabular.__main__ import main as train_tabular

from training_processes import kill, start, wait_until  # isort: skip

EPOCHS = 8
CUT = """
import os, runpy, signal
from pathlib import Path
write = Path.write_bytes
def half(path, data):
    if path.name.startswith(".epoch-000002-"):
        write(path, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(path, data)
Path.write_bytes = half
runpy.run_module("seaway.training.tabular", run_name="__main__", alter_sys=True)
"""


def rows(count: int, seed: int) -> pd.DataFrame:
    """Late where it is windy at one airport and calm at the other: no line separates them."""
    random = np.random.default_rng(seed)
    wind, origin = random.normal(size=count).astype(np.float32), random.integers(0, 2, count)
    late = (wind * (2 * origin - 1) + 0.3 * random.normal(size=count) > 0).astype(np.int8)
    wind[::17] = np.nan
    return pd.DataFrame({"wind": wind, "origin": np.array(["JFK", "LGA"])[origin], "late": late})


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    folder = tmp_path_factory.mktemp("training")
    rows(10_001, 0).to_parquet(folder / "train.parquet")
    rows(2_003, 1).to_parquet(folder / "validation.parquet")
    params = {
        "numeric": ["wind"],
        "categorical": ["origin"],
        "label": "late",
        "batch_size": 64,
        "epochs": EPOCHS,
        "patience": EPOCHS,
    }
    return TrainSpec(
        folder / "train.parquet",
        folder / "validation.parquet",
        folder / "two",
        folder / "checkpoints-two",
        params=params,
        workers=2,
    )


@pytest.fixture(scope="module")
def trained(spec: TrainSpec) -> TrainResult:
    return TorchrunTrainer().train(spec)


def test_the_exported_model_learned_what_no_line_can_and_takes_raw_columns(trained: TrainResult) -> None:
    assert trained.metrics["validation_auc"] > 0.9
    model = ExportedModel.load(trained.path)
    held_out = rows(500, 2)
    columns = {"wind": held_out["wind"].to_numpy(), "origin": held_out["origin"].tolist()}
    probability = model.predict(columns)["probability"][:, 0]
    assert np.mean((probability > 0.5) == held_out["late"]) > 0.85
    unknown = model.predict({"wind": [None, 1.0], "origin": ["???", None]})["probability"]
    assert np.isfinite(unknown).all()


def test_a_finished_training_is_reused(spec: TrainSpec, trained: TrainResult) -> None:
    written = (spec.output / "model.safetensors").stat().st_mtime_ns
    assert TorchrunTrainer().train(spec) == trained
    assert (spec.output / "model.safetensors").stat().st_mtime_ns == written


def test_an_identical_training_into_another_folder_reuses_the_result_and_says_so(
    spec: TrainSpec, trained: TrainResult
) -> None:
    again = TorchrunTrainer().train(dataclasses.replace(spec, output=spec.output.parent / "again"))
    assert (again.metrics, again.history, again.sha256) == (trained.metrics, trained.history, trained.sha256)
    assert again.summary == f"{trained.summary}, reused"
    assert sha256(again.path) == sha256(trained.path), "a file of the first is not in the second"
    assert ExportedModel.load(again.path).signature == ExportedModel.load(trained.path).signature


def test_an_input_called_as_the_output_has_the_output_called_otherwise(tmp_path: Path) -> None:
    for name in ("train", "validation"):
        rows(50, 0).rename(columns={"wind": "probability"}).to_parquet(tmp_path / f"{name}.parquet")
    same = TrainSpec(
        tmp_path / "train.parquet",
        tmp_path / "validation.parquet",
        tmp_path / "out",
        tmp_path / "checkpoints",
        params={"numeric": ["probability"], "label": "late", "epochs": 1},
    )
    model = ExportedModel.load(TorchrunTrainer().train(same).path)
    [given] = model.predict({"probability": [0.5, None]})
    assert given == model.signature.outputs[0].name == "probability of late"


def test_a_training_that_stopped_after_its_last_epoch_still_writes_everything(
    spec: TrainSpec, trained: TrainResult, tmp_path: Path
) -> None:
    shutil.copytree(spec.checkpoints, tmp_path / "checkpoints", ignore=shutil.ignore_patterns("*.finished"))
    resumed = TorchrunTrainer().train(
        dataclasses.replace(spec, output=tmp_path / "resumed", checkpoints=tmp_path / "checkpoints")
    )
    assert not resumed.reused
    assert resumed.history == trained.history, "it trained again"
    assert resumed.sha256 == trained.sha256
    assert len(list((tmp_path / "resumed" / "tensorboard").iterdir())) == 1


def test_a_process_killed_while_it_writes_a_checkpoint_resumes_to_the_same_bits(tmp_path: Path) -> None:
    rows(200, 4).to_parquet(tmp_path / "rows.parquet")
    data = tmp_path / "rows.parquet"
    params = {"numeric": ["wind"], "categorical": ["origin"], "label": "late", "batch_size": 200, "epochs": 3}
    whole = TrainSpec(data, data, tmp_path / "whole", tmp_path / "checkpoints-whole", params=params)
    killed = dataclasses.replace(whole, output=tmp_path / "killed", checkpoints=tmp_path / "checkpoints-killed")
    killed.write(tmp_path / "spec.json", "0" * 64)
    process = subprocess.run([sys.executable, "-c", CUT, "--spec", str(tmp_path / "spec.json")], check=False)
    assert process.returncode == -signal.SIGKILL
    folder = killed.checkpoints / ("0" * 16)
    assert list(folder.glob(".epoch-000002-*.tmp")), "it was not killed in the middle"
    assert [path.name[:12] for path in folder.glob("epoch-*")] == ["epoch-000001"]
    train_tabular(whole, "0" * 64)
    train_tabular(killed, "0" * 64)
    assert sha256(whole.output / "model.safetensors") == sha256(killed.output / "model.safetensors")
    assert not list(folder.glob(".epoch-*")), "the half-written file is left behind"


def test_one_worker_or_two_train_the_same_model(spec: TrainSpec, trained: TrainResult) -> None:
    folder = spec.output.parent
    alone = TorchrunTrainer().train(
        dataclasses.replace(spec, workers=1, output=folder / "one", checkpoints=folder / "checkpoints-one")
    )
    losses = [[entry["validation_loss"] for entry in result.history] for result in (alone, trained)]
    np.testing.assert_allclose(*losses, rtol=0.02)
    np.testing.assert_allclose(losses[0][0], losses[1][0], rtol=1e-4)


def test_a_training_killed_midway_resumes_to_the_same_bits(spec: TrainSpec, trained: TrainResult) -> None:
    folder = spec.output.parent
    again = dataclasses.replace(spec, output=folder / "killed", checkpoints=folder / "checkpoints-killed")
    mark = uuid.uuid4().hex
    step = start(again, folder, mark)
    wait_until(lambda: any(again.checkpoints.glob("*/epoch-000003-*.safetensors")))
    kill(mark)
    step.communicate()
    assert not (again.output / "training.json").exists()
    resumed = TorchrunTrainer().train(again)
    before, after = (load_file(result.path / "model.safetensors") for result in (trained, resumed))
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    figures = [[{**entry, "seconds": 0} for entry in result.history] for result in (trained, resumed)]
    assert figures[0] == figures[1]


def test_bad_data_fails_the_training_with_one_paragraph(spec: TrainSpec, tmp_path: Path) -> None:
    table = rows(100, 3)
    table["late"] = table["late"].astype(float).where(table.index != 7)
    table.to_parquet(tmp_path / "train.parquet")
    bad = dataclasses.replace(spec, train=tmp_path / "train.parquet", output=tmp_path / "bad", workers=1)
    with pytest.raises(TrainingFailed, match=r"DataUnreadable: .*'late' is missing in 1 of 100 rows") as failure:
        TorchrunTrainer().train(bad)
    assert "Traceback" not in str(failure.value)
