"""The vision trainer: a wrong parameter is told before the first epoch, and its model takes pictures as they are."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models import ExportedModel
from seaway.models.preprocessing import stage
from seaway.training import TrainSpec
from seaway.training.loop.rows import learn_task
from seaway.training.vision.__main__ import main
from seaway.training.vision.augmentation import Augmentation
from seaway.training.vision.data import read_pictures
from seaway.training.vision.network import VisionNetwork
from seaway.training.vision.params import VisionParams

PARAMS: dict[str, Any] = {"image": "picture", "label": "shade", "size": [8, 8], "epochs": 3, "batch_size": 16}


def encoded(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def pictures(rows: int, seed: int) -> pd.DataFrame:
    """Light and dark pictures of other sizes than the model's."""
    random = np.random.default_rng(seed)
    light = random.integers(0, 2, rows)
    files = [encoded(random.integers(0, 120, (9, 12, 3)) + 130 * one) for one in light]
    return pd.DataFrame({"picture": files, "shade": np.array(["dark", "light"])[light]})


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> TrainSpec:
    folder = tmp_path_factory.mktemp("vision")
    files = {name: folder / f"{name}.parquet" for name in ("train", "validation")}
    for seed, (name, rows) in enumerate((("train", 96), ("validation", 32))):
        pictures(rows, seed).to_parquet(files[name])
    made = TrainSpec(**files, output=folder / "out", checkpoints=folder / "kept", params=PARAMS)
    main(made, "f" * 64)
    return made


def test_the_exported_model_takes_files_and_gives_answers_and_embeddings(spec: TrainSpec) -> None:
    model = ExportedModel.load(spec.output)
    rows = pictures(40, 7)
    given = model.predict({"picture": rows["picture"].tolist()})
    classes = model.signature.target.classes if model.signature.target else ()
    assert (np.array(classes)[given["probabilities"].argmax(axis=1)] == rows["shade"]).mean() > 0.9
    assert given["embedding"].shape == (40, 256)
    alone = model.predict({"picture": [base64.b64encode(rows["picture"][0]).decode()]})
    np.testing.assert_allclose(alone["probabilities"][0], given["probabilities"][0], atol=1e-5)


def test_training_sees_the_pixels_that_serving_makes(spec: TrainSpec) -> None:
    """Of the same rows: what the loop is fed without augmentation, and what the signed stage makes of their files."""
    params = VisionParams.parse(PARAMS)
    read = read_pictures(spec.validation, params, learn_task(spec.train, params))
    (seen,) = read.batch(torch.arange(len(read)), training=False)
    served = ExportedModel.load(spec.output).signature.encode({"picture": list(read.files)})["picture"]
    np.testing.assert_array_equal(seen.numpy(), served)


def test_augmentation_changes_training_pictures_only_each_by_itself_and_alike_after_a_resume(spec: TrainSpec) -> None:
    params = VisionParams.parse({**PARAMS, "augment": {"RandomRotation": {"degrees": 90}}})
    read = read_pictures(spec.train, params, learn_task(spec.train, params))
    rows = torch.zeros(6, dtype=torch.int64)
    torch.manual_seed(5)
    (changed,) = read.batch(rows, training=True)
    torch.manual_seed(5)
    assert torch.equal(changed, read.batch(rows, training=True)[0])
    assert len({one.numpy().tobytes() for one in changed}) > 1
    np.testing.assert_array_equal(
        read.batch(rows, training=False)[0], stage(params.stage, None).encode([read.files[0]] * 6)
    )


def test_pictures_that_do_not_fit_into_memory_are_decoded_by_batches(
    spec: TrainSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = VisionParams.parse(PARAMS)
    task = learn_task(spec.train, params)
    whole = read_pictures(spec.train, params, task)
    monkeypatch.setattr("seaway.training.vision.data.IN_MEMORY", 0)
    parts = read_pictures(spec.train, params, task)
    rows = torch.tensor([5, 0, 7])
    assert torch.equal(whole.batch(rows, False)[0], parts.batch(rows, False)[0])
    assert all(map(torch.equal, whole.moments(50), parts.moments(50)))


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"image": ""}, "no image"),
        ({"size": [8]}, "height and width"),
        ({"size": [8, 0]}, r"size\[1\]=0"),
        ({"channels": 2}, "2 channels"),
        ({"backbone": "resnet7"}, "resnet7"),
        ({"backbone": "squeezenet1_0"}, "no linear layer"),
        ({"augment": {"Turn": {}}}, "'Turn'"),
        ({"augment": {"functional": {}}}, "'functional'"),
        ({"augment": {"RandomRotation": {"angle": 3}}}, "RandomRotation cannot be made"),
        ({"augment": {"Resize": {"size": [4, 4]}}}, "keep size and type"),
        ({"precision": "half"}, "precision='half'"),
        ({"numeric": ["x"]}, "Unknown training parameter numeric"),
    ],
)
def test_wrong_parameters_are_named(params: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        made = VisionParams.parse({**PARAMS, **params})
        stage(made.stage, None)
        Augmentation(made)(torch.zeros((1, 3, 8, 8), dtype=torch.uint8))
        VisionNetwork(made, 2, (torch.zeros(3), torch.ones(3)))


def test_a_picture_that_cannot_be_read_is_told_by_its_column_and_row(tmp_path: Path) -> None:
    rows = pictures(5, 0)
    rows.at[3, "picture"] = b"no picture"
    rows.to_parquet(tmp_path / "rows.parquet")
    params = VisionParams.parse(PARAMS)
    with pytest.raises(DataUnreadable, match=r"rows.parquet: column 'picture': the picture of row 3"):
        read_pictures(tmp_path / "rows.parquet", params, learn_task(tmp_path / "rows.parquet", params))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("backbone", ["linear", "small", "mobilenet_v3_small"])
def test_every_backbone_ends_in_the_tasks_outputs(backbone: str, channels: int) -> None:
    params = VisionParams.parse({**PARAMS, "backbone": backbone, "channels": channels, "size": [32, 32]})
    network = VisionNetwork(params, 4, (torch.zeros(channels), torch.ones(channels))).eval()
    pixels = torch.randint(0, 255, (2, channels, 32, 32), dtype=torch.uint8)
    assert network(pixels).shape == (2, 4)
    assert network.embed(pixels).shape == (2, network.size)
