"""A student learns what its teacher answers: by soft targets, by its embedding, and in a form that stays its own."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from seaway.edge.distillation import ANSWERS, STATES, student_params, write_taught
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models import ExportedModel, Signature
from seaway.tasks import Target, of
from seaway.training import TrainSpec
from seaway.training.loop.distillation import read_lesson
from seaway.training.loop.rows import learn_task
from seaway.training.tabular.__main__ import main
from seaway.training.tabular.params import TabularParams
from seaway.training.vision.__main__ import main as train_vision

NUMBERS: dict[str, Any] = {"numeric": ["x", "y"], "label": "kind", "task": "multiclass", "epochs": 30, "batch_size": 64}
PICTURES: dict[str, Any] = {"image": "picture", "label": "shade", "size": [8, 8], "epochs": 3, "batch_size": 16}
KINDS = np.array(["far", "left", "right"])


def numbers(rows: int, seed: int) -> pd.DataFrame:
    """Three kinds by where a point lies."""
    x, y = np.random.default_rng(seed).normal(size=(2, rows))
    return pd.DataFrame({"x": x, "y": y, "kind": KINDS[np.where(y > 0.5, 0, np.where(x < 0, 1, 2))]})


def pictures(rows: int, seed: int) -> pd.DataFrame:
    """Light and dark ones."""
    random = np.random.default_rng(seed)
    light, files = random.integers(0, 2, rows), []
    for one in light:
        stream = io.BytesIO()
        Image.fromarray((random.integers(0, 120, (8, 8, 3)) + 130 * one).astype(np.uint8)).save(stream, "PNG")
        files.append(stream.getvalue())
    return pd.DataFrame({"picture": files, "shade": np.array(["dark", "light"])[light]})


def spec(folder: Path, params: dict[str, Any], train: pd.DataFrame, validation: pd.DataFrame) -> TrainSpec:
    folder.mkdir(exist_ok=True)
    for name, rows in (("train", train), ("validation", validation)):
        rows.to_parquet(folder / f"{name}.parquet")
    files = {name: folder / f"{name}.parquet" for name in ("train", "validation")}
    return TrainSpec(**files, output=folder / "out", checkpoints=folder / "kept", params=params)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = spec(tmp_path_factory.mktemp("teacher"), NUMBERS, numbers(600, 0), numbers(200, 1))
    main(made, "f" * 64)
    return made.output


def taught(teacher: Path, train: Path, folder: Path, params: dict[str, Any], **told: float) -> TrainSpec:
    """What `distil_model` trains."""
    folder.mkdir(exist_ok=True)
    write_taught(teacher, train, folder / "taught.parquet", told.get("hidden", 0) > 0)
    wanted = student_params(Signature.read(teacher), params, told)
    files = {"train": folder / "taught.parquet", "validation": train.with_name("validation.parquet")}
    return TrainSpec(**files, output=folder / "out", checkpoints=folder / "kept", params=wanted)


def called(model: Path, rows: pd.DataFrame) -> np.ndarray:
    answers = ExportedModel.load(model).predict({"x": rows["x"].tolist(), "y": rows["y"].tolist()})
    return np.asarray(answers["probabilities"]).argmax(axis=1)


def test_a_student_whose_labels_are_chance_decides_as_its_teacher(teacher: Path, tmp_path: Path) -> None:
    train, validation, new = numbers(600, 2), numbers(200, 3), numbers(300, 4)
    train["kind"] = np.random.default_rng(0).permutation(train["kind"])
    small = {"numeric": ["x", "y"], "hidden": [32], "epochs": 40, "batch_size": 64}
    alone = spec(tmp_path / "alone", {**NUMBERS, **small}, train, validation)
    main(alone, "a" * 64)
    learned = taught(teacher, alone.train, tmp_path / "taught", small, soft=1.0)
    main(learned, "b" * 64)
    wanted = called(teacher, new)
    assert (wanted == called(learned.output, new)).mean() > 0.85
    assert (wanted == called(alone.output, new)).mean() < 0.7
    assert len(load_file(learned.output / "model.safetensors")) == len(load_file(alone.output / "model.safetensors"))


def test_a_student_comes_near_the_embedding_of_its_teacher(tmp_path: Path) -> None:
    """By a projection that is not part of what is exported."""
    rows, params = pictures(96, 0), {**PICTURES, "backbone": "linear", "epochs": 6}
    first = spec(tmp_path / "teacher", PICTURES, rows, pictures(32, 1))
    train_vision(first, "f" * 64)
    keys = {}
    for name, hidden in (("without", 0.0), ("with", 5.0)):
        made = taught(first.output, first.train, tmp_path / name, params, soft=0.5, hidden=hidden)
        assert (STATES in pd.read_parquet(made.train)) == (hidden > 0)
        train_vision(made, name.ljust(64, "0"))
        keys[name] = sorted(load_file(made.output / "model.safetensors"))
        assert ExportedModel.load(made.output).predict({"picture": rows["picture"][:3].tolist()})["embedding"].shape[1]
    assert keys["with"] == keys["without"]


def test_the_loss_on_embeddings_falls_as_they_turn_the_same_way(teacher: Path, tmp_path: Path) -> None:
    rows = numbers(4, 0)
    rows[ANSWERS] = [[0.8, 0.1, 0.1]] * 4
    rows[STATES] = [[1.0, 0.0]] * 4
    rows.to_parquet(tmp_path / "rows.parquet")
    params = TabularParams.parse(
        {**NUMBERS, "classes": KINDS.tolist(), "teacher": {"answers": ANSWERS, "states": STATES, "hidden": 2.0}}
    )
    task = learn_task(tmp_path / "rows.parquet", params)
    lesson = read_lesson(tmp_path / "rows.parquet", params, task)
    assert lesson is not None
    said, labels, places = lesson.outputs, torch.zeros(4, dtype=torch.int64), torch.arange(4)
    ways = [torch.tensor([way] * 4) for way in ([3.0, 0.0], [0.0, 3.0], [-3.0, 0.0])]
    same, across, against = (float(lesson.loss(task, torch.cat([said, way], 1), labels, places)) for way in ways)
    assert across - same == pytest.approx(2.0 * 4)
    assert against - same == pytest.approx(2.0 * 8)


@pytest.mark.parametrize("told", [{"soft": 1.5}, {"temperature": 0.0}, {"hidden": 1.0}, {"warmth": 1}])
def test_a_teacher_that_is_told_wrongly_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec, match="teacher"):
        TabularParams.parse({**NUMBERS, "teacher": {"answers": ANSWERS, **told}})


def test_a_pipeline_of_stages_that_would_not_heed_the_teacher_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="pipeline"):
        TabularParams.parse({**NUMBERS, "teacher": {"answers": ANSWERS}, "parallel": "pipeline"})


def test_a_teacher_of_something_else_is_refused(teacher: Path, tmp_path: Path) -> None:
    signature = Signature.read(teacher)
    with pytest.raises(InvalidSpec, match="'kind'; give both"):
        student_params(signature, {"label": "other"}, {})
    with pytest.raises(InvalidSpec, match="task 'binary'"):
        student_params(signature, {"task": "binary"}, {})
    numbers(20, 0).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(InvalidSpec, match="and no embedding; give hidden=0"):
        write_taught(teacher, tmp_path / "train.parquet", tmp_path / "out.parquet", hidden=True)
    with pytest.raises(DataUnreadable, match="takes y, which"):
        numbers(20, 0)[["x", "kind"]].to_parquet(tmp_path / "less.parquet")
        write_taught(teacher, tmp_path / "less.parquet", tmp_path / "out.parquet", hidden=False)


TARGETS = {
    "binary": Target("binary", "y"),
    "multiclass": Target("multiclass", "y", classes=("a", "b", "c")),
    "multilabel": Target("multilabel", "y", classes=("a", "b", "c")),
    "regression": Target("regression", "y", facts={"mean": 5.0, "deviation": 2.0, "span": 10.0}),
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_network_put_out_is_told_from_its_answer_and_is_the_least_of_the_soft_loss(name: str) -> None:
    task = of(TARGETS[name])
    torch.manual_seed(0)
    outputs, other = torch.randn(2, 5, task.width, dtype=torch.float64)
    again = task.answer(task.outputs(task.answer(outputs)))
    assert torch.allclose(again, task.answer(outputs), atol=1e-9)
    at_it, beside, further = (
        float(task.soft_loss(outputs + step * (other - outputs), outputs, 2.0)) for step in (0, 0.3, 0.6)
    )
    assert at_it == pytest.approx(0, abs=1e-9)
    assert 0 < beside < further
