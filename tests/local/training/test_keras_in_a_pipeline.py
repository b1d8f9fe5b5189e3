"""A network of Keras goes the way of every other: packaged, judged, served, rolled out, and taken to devices."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from seaway import edge, models
from seaway.serving import Client, DeployedEndpoint
from seaway_runs import SEAWAY

ROWS = 3_000
NETWORK = """\
import keras


def network(columns, categories, outputs):
    parts = [keras.layers.Embedding(categories[name] + 1, 4)(columns[name]) for name in categories]
    parts += [column for name, column in columns.items() if name not in categories]
    hidden = keras.layers.Dense(24, activation="gelu")(keras.layers.Concatenate()(parts))
    hidden = keras.layers.Dropout(0.1)(keras.layers.LayerNormalization()(hidden))
    return keras.layers.Dense(outputs)(keras.layers.Dense(12, activation="silu")(hidden))
"""
WITHOUT_KERAS = """\
import json, pathlib, sys
sys.modules["keras"] = None
from seaway import models
[answers] = models.load(pathlib.Path(sys.argv[1])).predict(json.loads(sys.argv[2])).values()
print(json.dumps(answers.tolist()))
"""
ASKED: dict[str, Any] = {  # values that no training has seen, gaps, the ends of what it has
    "length": [12.0, None, 40.5, 3.25],
    "weight": [2.0, 2.5, None, 9.0],
    "plumage": ["grey", "red", "tartan", None],
}


def birds(rows: int = ROWS) -> pd.DataFrame:
    """One of three kinds, which two numbers and a word tell of together."""
    random = np.random.default_rng(3)
    length, weight = random.normal(20, 8, rows).round(2), random.gamma(3, 1.2, rows).round(3)
    plumage = random.choice(["grey", "red", "black"], rows)
    big = (length - 20) / 4 + (weight - 3.6) * np.where(plumage == "red", -1.0, 1.0) + random.normal(0, 0.6, rows)
    kind = np.where(big < -1, "wren", np.where(big < 1, "rook", "kite"))
    return pd.DataFrame({"length": length, "weight": weight, "plumage": plumage, "kind": kind})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project of `seaway init` whose network was made one of Keras, after one run."""
    folder = tmp_path_factory.mktemp("keras")
    birds().to_csv(folder / "birds.csv", index=False)
    _seaway(folder, "init", "birds", "--from", "birds.csv", "--label", "kind")
    project = folder / "birds"
    (project / "network.py").write_text(NETWORK)
    pipeline, by = (project / "pipeline.py").read_text(), 'train_pytorch(**data, params={**DEEP, "name": NAME})'
    assert by in pipeline
    by_keras = 'train_keras(**data, network="network.py", params={**DEEP, "name": NAME})'
    mended = pipeline.replace(by, by_keras).replace('"hidden": [64, 32], ', "")
    (project / "pipeline.py").write_text(mended.replace("import train_pytorch", "import train_keras, train_pytorch"))
    try:
        _seaway(project, "run", ".", "-p", "latency_margin=0")
        yield project
    finally:
        _seaway(project, "down", "--all")


def _seaway(folder: Path, *words: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SEAWAY_HOME"}
    command = [str(SEAWAY), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def _only(project: Path, pattern: str) -> Path:
    [found] = (project / ".seaway" / "artifacts").rglob(pattern)
    return found


def test_it_beats_the_linear_baseline_at_the_gate_and_is_promoted(project: Path) -> None:
    gate = json.loads(_only(project, "evaluate-model/evaluation/evaluation.json").read_text())
    assert gate["gate"]["passed"], gate["gate"]
    rollout = json.loads(_only(project, "rollout.json").read_text())
    assert rollout["decision"] == "PROMOTE", rollout["reason"]
    assert sum(sum(tick["errors"].values()) for tick in rollout["ticks"]) == 0


def test_endpoint_package_and_a_machine_without_keras_give_one_answer(project: Path) -> None:
    package = _only(project, "package-model-2/package")
    endpoint = DeployedEndpoint.read(_only(project, "deploy-endpoint/endpoint/endpoint.json"))
    with Client(endpoint.url, endpoint.token()) as client:
        [served] = client.infer("birds", ASKED).values()
    [here] = models.load(package).predict(ASKED).values()
    command = [sys.executable, "-c", WITHOUT_KERAS, str(package), json.dumps(ASKED)]
    elsewhere = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert here.std() > 0.1  # a model that answers always the same proves nothing
    np.testing.assert_allclose(served, here, atol=1e-6)
    np.testing.assert_allclose(elsewhere, here, atol=1e-6)


@pytest.mark.parametrize("target", ["onnxruntime", "openvino"])
def test_a_device_gives_the_packages_answers(project: Path, tmp_path: Path, target: str) -> None:
    package, key = _only(project, "package-model-2/package"), models.signing_keys(tmp_path / "keys").private
    rows = birds(40).drop(columns="kind").to_dict("list")
    [wanted] = models.load(package).predict(rows).values()
    [given] = edge.load(edge.export_edge(package, target, tmp_path / "edge", key).path).predict(rows).values()
    assert np.abs(given - wanted).max() <= 1e-5
