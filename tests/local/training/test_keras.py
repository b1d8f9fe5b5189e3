"""A network of Keras on torch is trained by the loop of all others, on processes, and packaged as any other model."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from seaway import models
from seaway.errors import InvalidSpec, TrainingFailed
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainSpec
from seaway.training.fingerprint import fingerprint
from seaway.training.keras.params import KerasParams
from small_training import small_training

NETWORK = """\
import keras


def network(columns, categories, outputs):
    parts = [keras.layers.Embedding(categories[name] + 1, 4)(columns[name]) for name in categories]
    parts += [column for name, column in columns.items() if name not in categories]
    hidden = keras.layers.BatchNormalization(momentum=0.8)(keras.layers.Concatenate()(parts))
    hidden = keras.layers.Dropout(0.1)(keras.layers.Dense(16, activation="relu")(hidden))
    return keras.layers.Dense(outputs)(hidden)
"""


def training(folder: Path, network: str, **spec: object) -> TrainSpec:
    (folder / "network.py").write_text(network)
    made = small_training(folder, rows=3_000, epochs=5, batch_size=128, **spec)
    params = {**made.params, "network": str(folder / "network.py"), "learning_rate": 0.02}
    return dataclasses.replace(made, entrypoint="seaway.training.keras", params=params)


def test_two_processes_learn_and_the_model_answers_raw_columns(tmp_path: Path) -> None:
    result = TorchrunTrainer().train(training(tmp_path, NETWORK, workers=2))
    assert result.metrics["validation_auc"] > 0.87
    model = models.load(result.path)
    answers = model.predict({"size": [2.0, 2.0, None, -2.0], "colour": ["red", "blue", "unseen", "red"]})
    [probability] = answers.values()
    assert probability[0, 0] > 0.7
    assert max(probability[1, 0], probability[3, 0]) < 0.3
    assert np.isfinite(probability).all()


def test_another_network_is_another_training(tmp_path: Path) -> None:
    spec = training(tmp_path, NETWORK)
    before = fingerprint(spec)["run"]
    assert fingerprint(spec)["run"] == before
    (tmp_path / "network.py").write_text(NETWORK.replace("Dense(16", "Dense(17"))
    assert fingerprint(spec)["run"] != before
    with pytest.raises(InvalidSpec, match=r"network '.*gone\.py' does not exist"):
        fingerprint(dataclasses.replace(spec, params={**spec.params, "network": str(tmp_path / "gone.py")}))


def test_a_network_of_another_shape_is_refused_with_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"gives \(None, 3\); the task binary wants \(None, 1\)"):
        TorchrunTrainer().train(training(tmp_path, NETWORK.replace("Dense(outputs)", "Dense(3)")))


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({}, "name no network"),
        ({"network": "n.py", "hidden": [8]}, "hidden layers are for the network's file"),
        ({"network": "n.py", "parallel": "fsdp"}, "cannot divide Keras' layers"),
    ],
)
def test_params_that_are_not_keras_are_refused(params: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        KerasParams.parse({"label": "y", "numeric": ["x"], **params})
