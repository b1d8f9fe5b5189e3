"""The bundled trainer on real processes: the same model on any number of them, and through any interruption."""

import dataclasses
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from seaway.errors import TrainingFailed
from seaway.models import ExportedModel
from seaway.platforms.local.torchrun import TorchrunTrainer
from seaway.training import TrainResult, TrainSpec

from training_processes import kill, start, wait_until  # isort: skip

EPOCHS = 12


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
    params = {"numeric": ["wind"], "categorical": ["origin"], "batch_size": 64, "epochs": EPOCHS, "patience": EPOCHS}
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
