"""A small training that several layers share: a label that depends on a number and a category together."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from seaway.training import TrainSpec

VALIDATION_ROWS = 1_003


def small_training(folder: Path, rows: int, epochs: int, batch_size: int, **spec: Any) -> TrainSpec:
    """A training of the bundled network on `rows` rows in `folder`; it never stops early."""
    random = np.random.default_rng(0)
    for name, count in (("train", rows), ("validation", VALIDATION_ROWS)):
        size, colour = random.normal(size=count).astype(np.float32), random.integers(0, 3, count)
        good = (size * (colour - 1) + 0.3 * random.normal(size=count) > 0).astype(np.int8)
        table = {"size": size, "colour": np.array(["blue", "green", "red"])[colour], "good": good}
        pd.DataFrame(table).to_parquet(folder / f"{name}.parquet")
    columns = {"numeric": ["size"], "categorical": ["colour"], "label": "good"}
    params = {**columns, "epochs": epochs, "patience": epochs, "batch_size": batch_size}
    paths = (folder / name for name in ("train.parquet", "validation.parquet", "output", "checkpoints"))
    return TrainSpec(*paths, params=params, **spec)
