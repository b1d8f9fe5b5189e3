"""One network held by two processes together, by layers' parts or by stages, gives what one process gives."""

import dataclasses
import uuid
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from seaway.errors import TrainingFailed
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import TrainResult, TrainSpec
from small_training import small_training

from training_processes import kill, start, wait_until  # isort: skip

HIDDEN = {"hidden": [24, 16, 8]}


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    made = small_training(tmp_path_factory.mktemp("parallel"), rows=3_001, epochs=4, batch_size=128)
    return dataclasses.replace(made, params={**made.params, **HIDDEN})


@pytest.fixture(scope="module")
def unsplit(spec: TrainSpec) -> TrainResult:
    return TorchrunTrainer().train(spec)


def split(spec: TrainSpec, folder: str, **params: object) -> TrainSpec:
    root = spec.output.parent / folder
    return dataclasses.replace(
        spec, output=root / "output", checkpoints=root / "checkpoints", params={**spec.params, **params}, workers=2
    )


def losses(result: TrainResult) -> list[float]:
    return [entry["validation_loss"] for entry in result.history]


@pytest.mark.parametrize(
    "params", [{"parallel": "tensor"}, {"parallel": "pipeline", "accumulate": 3}], ids=["tensor", "pipeline"]
)
def test_a_network_on_two_processes_trains_as_on_one(
    spec: TrainSpec, unsplit: TrainResult, params: dict[str, object]
) -> None:
    result = TorchrunTrainer().train(split(spec, str(params["parallel"]), **params))
    assert losses(result) == pytest.approx(losses(unsplit), abs=1e-5)
    assert result.metrics["weights"] == unsplit.metrics["weights"]
    weights, expected = (load_file(each.path / "model.safetensors") for each in (result, unsplit))
    assert weights.keys() == expected.keys()
    for name, tensor in weights.items():
        np.testing.assert_allclose(tensor, expected[name], atol=1e-4, err_msg=name)


@pytest.mark.parametrize("parallel", ["tensor", "pipeline"])
def test_it_resumes_to_what_one_process_gives(
    spec: TrainSpec, unsplit: TrainResult, parallel: str, tmp_path: Path
) -> None:
    killed, mark = split(spec, f"killed-{parallel}", parallel=parallel), uuid.uuid4().hex
    step = start(killed, tmp_path, mark)
    wait_until(lambda: len(list(killed.checkpoints.glob("*/epoch-*.safetensors"))) > 0)
    kill(mark)
    step.communicate()
    assert losses(TorchrunTrainer().train(killed)) == pytest.approx(losses(unsplit), abs=1e-5)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"parallel": "tensor", "hidden": [25, 8]}, "the 25 outputs of layer layers.0 over 2 processes"),
        ({"parallel": "pipeline", "hidden": [], "categorical": []}, "asks for 2 stages, and the network has 1"),
    ],
    ids=["uneven", "too short"],
)
def test_a_network_that_cannot_be_divided_is_refused(spec: TrainSpec, params: dict[str, object], reason: str) -> None:
    with pytest.raises(TrainingFailed, match=reason):
        TorchrunTrainer().train(split(spec, uuid.uuid4().hex, **params))
