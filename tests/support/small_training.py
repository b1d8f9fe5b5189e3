"""Small trainings that several layers share."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from seaway.training import TrainSpec

VALIDATION_ROWS = 1_003


PLACES = ("output", "checkpoints")


def echo_training(folder: Path, **spec: Any) -> TrainSpec:
    """A training in `folder` whose two processes say who they are, and learn nothing."""
    data = [folder / name for name in ("train", "validation")]
    for file in data:
        file.write_text(file.name)
    return TrainSpec(*data, *(folder / name for name in PLACES), entrypoint="echo_trainer", **{"workers": 2, **spec})


def small_training(folder: Path, rows: int, epochs: int, batch_size: int, **spec: Any) -> TrainSpec:
    """A training of the bundled network on `rows` rows in `folder`, whose label depends on a number and a category."""
    random = np.random.default_rng(0)
    for name, count in (("train", rows), ("validation", VALIDATION_ROWS)):
        size, colour = random.normal(size=count).astype(np.float32), random.integers(0, 3, count)
        good = (size * (colour - 1) + 0.3 * random.normal(size=count) > 0).astype(np.int8)
        table = {"size": size, "colour": np.array(["blue", "green", "red"])[colour], "good": good}
        pd.DataFrame(table).to_parquet(folder / f"{name}.parquet")
    columns = {"numeric": ["size"], "categorical": ["colour"], "label": "good"}
    params = {**columns, "epochs": epochs, "patience": epochs, "batch_size": batch_size}
    paths = (folder / name for name in ("train.parquet", "validation.parquet", *PLACES))
    return TrainSpec(*paths, params=params, **spec)
