"""A model says which data it was made of, and they come back: training on them again is the same training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from places import LOCAL_PROGRAMS
from seaway.cli import data as commands
from seaway.data.versions import Versions
from seaway.errors import DataUnreadable
from seaway.kfp.local.run_record import Record
from seaway.kfp.local.runner import local_run
from seaway.storage import sha256
from seaway.training import TrainSpec
from seaway.training.fingerprint import fingerprint

PROGRAM = str(LOCAL_PROGRAMS / "versioned_training.py")
PARAMS = {"label": "large", "numeric": ["size"], "hidden": [], "epochs": 1}
FILES, KEPT = "seaway.data.sources.files:read", "seaway.data.sources.versions:read"


def made(record: Record, step: str, name: str) -> Path:
    return Path(next(one for one in record.steps if one.name == step).outputs[name]["uri"])


def fingerprint_of(record: Record, folder: Path) -> dict[str, str]:
    train, validation = (made(record, "split-table", name) for name in ("train", "validation"))
    return fingerprint(TrainSpec(train, validation, folder, folder, params=PARAMS))


def trained(source: str, **options: Any) -> Record:
    return local_run(PROGRAM, {"source": source, "options": json.dumps(options), "params": json.dumps(PARAMS)})


def test_data_that_a_model_names_come_back_and_train_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    size = np.random.default_rng(0).normal(size=400)
    orders = tmp_path / "orders.csv"
    pd.DataFrame({"size": size, "large": (size > 0).astype(int)}).to_csv(orders, index=False)
    first = trained(FILES, path=str(orders))

    store = str(tmp_path / "home" / "data")
    [version] = Versions(store, "orders").log()
    package = made(first, "package-model", "package")
    [origin] = json.loads((package / "lineage.json").read_text())["origins"]
    assert origin == {"version": version.version, "source": FILES, "read": f"sha256:{sha256(orders)}"}
    page = made(first, "write-model-report", "report").read_text()
    assert "Data version" in page and version.version in page and origin["read"] in page

    orders.unlink()
    commands.checkout(str(package), tmp_path / "back", "")
    assert f"orders@{version.version} is in" in capsys.readouterr().out
    assert sha256(tmp_path / "back") == sha256(made(first, "ingest-tables", "tables"))

    again = trained(KEPT, store=store, name="orders", version=version.version)
    assert fingerprint_of(again, tmp_path) == fingerprint_of(first, tmp_path)
    [kept] = json.loads((made(again, "package-model", "package") / "lineage.json").read_text())["origins"]
    assert (kept["version"], kept["read"]) == (version.version, f"orders@{version.version}")
    with pytest.raises(DataUnreadable, match="version_data has not kept them there"):
        commands.checkout(str(package), tmp_path / "other", str(tmp_path / "empty"))
