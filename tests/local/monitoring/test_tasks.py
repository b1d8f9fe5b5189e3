"""A model of any task is watched: its predictions drift as numbers or as classes, its figures are its task's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from seaway import models, monitoring
from seaway.models.registry import RegisteredModel
from seaway.training import TrainSpec
from seaway.training.tabular.__main__ import main


def rows(task: str, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=(1500, 3)).astype(np.float32)
    noisy = x + random.gumbel(scale=0.5, size=x.shape)  # without noise a model is perfect, and any other rows are worse
    label: Any = np.array(["a", "b", "c"])[noisy.argmax(axis=1)] if task == "multiclass" else 100 * noisy.sum(axis=1)
    return pd.DataFrame(x, columns=["x0", "x1", "x2"]).assign(y=label)


@pytest.fixture(params=["multiclass", "regression"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, RegisteredModel, str]:
    """A trained, signed model, and where its training rows are kept."""
    task, train = request.param, tmp_path / "train.parquet"
    validation = tmp_path / "validation.parquet"
    rows(task, 1).to_parquet(train)
    rows(task, 3).to_parquet(validation)
    params = {"numeric": ["x0", "x1", "x2"], "label": "y", "task": task, "epochs": 12, "batch_size": 64, "name": "m"}
    (tmp_path / "model").mkdir()
    main(TrainSpec(train, validation, tmp_path / "model", tmp_path / "checkpoints", params=params), "f" * 64)
    lineage = models.trace(tmp_path / "model", train, params)
    package = models.package(tmp_path / "model", tmp_path / "package", lineage, models.signing_keys(tmp_path).private)
    place = str(tmp_path / "references")
    monitoring.keep_reference(train, place)
    return task, RegisteredModel("m", "1", package.path), place


@pytest.mark.parametrize(("shift", "alarm"), [(0.0, False), (1.0, True)])
def test_rows_like_those_of_training_raise_no_alarm_and_shifted_ones_do(
    watched: tuple[str, RegisteredModel, str], tmp_path: Path, shift: float, alarm: bool
) -> None:
    task, model, place = watched
    current = rows(task, 2).assign(x0=lambda table: table["x0"] + np.float32(shift))
    current.to_parquet(tmp_path / "current.parquet")
    found = monitoring.check(model, tmp_path / "current.parquet", tmp_path / "check", place)
    assert found.drift.alarm == alarm
    assert "prediction" in {column.name for column in found.drift.columns}
    assert set(found.quality.figures) == ({"log_loss", "accuracy"} if task == "multiclass" else {"rmse", "mae"})
    assert bool(found.quality.worse) == alarm
