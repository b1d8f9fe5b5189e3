"""A quantile goes the way of every task: trained, measured, held against its baseline."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from seaway.evaluation import Gate, evaluate
from seaway.models import ExportedModel
from seaway.training import TrainSpec
from seaway.training.tabular.__main__ import main


def rows(count: int, seed: int) -> pd.DataFrame:
    """What takes long takes now and then much longer."""
    random = np.random.default_rng(seed)
    distance = random.uniform(1, 9, count)
    return pd.DataFrame({"distance": distance, "minutes": distance * random.gamma(2, 1.0, count)})


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_network_learns_what_a_share_of_the_labels_is_not_above(tmp_path: Path, share: float) -> None:
    files = {name: tmp_path / f"{name}.parquet" for name in ("train", "validation", "test")}
    for seed, (name, count) in enumerate((("train", 3000), ("validation", 600), ("test", 600))):
        rows(count, seed).to_parquet(files[name])
    params = {"numeric": ["distance"], "label": "minutes", "task": f"quantile:{share}", "epochs": 20, "patience": 20,
              "batch_size": 128, "hidden": [16], "name": "trips"}  # fmt: skip
    (tmp_path / "model").mkdir()
    main(TrainSpec(files["train"], files["validation"], tmp_path / "model", tmp_path / "kept", params=params), "f" * 64)
    held_out = rows(2000, 7)
    answers = ExportedModel.load(tmp_path / "model").predict({"distance": held_out["distance"].to_numpy()})
    below = held_out["minutes"].to_numpy() <= answers["prediction"].ravel()
    for near in (held_out["distance"] < 5, held_out["distance"] >= 5):
        assert below[near].mean() == pytest.approx(share, abs=0.06)
    found = evaluate(
        tmp_path / "model", files["test"], files["train"], tmp_path / "evaluation", baselines={}, production=None,
        gate=Gate({"beats:quantile": 0.0}), slices=[], label="", task="", group="",
    )  # fmt: skip
    assert found.figures["models"]["model"].keys() == {"pinball", "mae"}
    assert found.passed
