"""Weights split over processes (FSDP2) give what whole weights on each give (DDP), through any interruption."""

import dataclasses
import uuid
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainResult, TrainSpec
from small_training import small_training

from training_processes import kill, start, wait_until  # isort: skip


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    return small_training(tmp_path_factory.mktemp("fsdp"), rows=6_001, epochs=6, batch_size=128, workers=2)


def fsdp(spec: TrainSpec, folder: str) -> TrainSpec:
    root = spec.output.parent / folder
    return dataclasses.replace(
        spec, output=root / "output", checkpoints=root / "checkpoints", params={**spec.params, "parallel": "fsdp"}
    )


@pytest.fixture(scope="module")
def undisturbed(spec: TrainSpec) -> TrainResult:
    return TorchrunTrainer().train(fsdp(spec, "undisturbed"))


def losses(result: TrainResult) -> list[float]:
    return [entry["validation_loss"] for entry in result.history]


def test_split_weights_train_as_whole_ones(spec: TrainSpec, undisturbed: TrainResult) -> None:
    whole = TorchrunTrainer().train(spec)
    assert losses(undisturbed) == pytest.approx(losses(whole), abs=1e-5)
    weights, expected = (load_file(each.path / "model.safetensors") for each in (undisturbed, whole))
    assert weights.keys() == expected.keys()
    for name, tensor in weights.items():
        np.testing.assert_allclose(tensor, expected[name], atol=1e-4, err_msg=name)


def test_split_weights_resume_to_the_same_bits(spec: TrainSpec, undisturbed: TrainResult, tmp_path: Path) -> None:
    killed, mark = fsdp(spec, "killed"), uuid.uuid4().hex
    step = start(killed, tmp_path, mark)
    wait_until(lambda: len(list(killed.checkpoints.glob("*/epoch-*.safetensors"))) > 0)
    kill(mark)
    step.communicate()
    resumed = TorchrunTrainer().train(killed)
    assert losses(resumed) == losses(undisturbed)
    assert resumed.sha256 == undisturbed.sha256
