"""The step that distils: a packaged teacher, a student by a bundled trainer in a process of its own, a model as any."""

from collections.abc import Callable
from pathlib import Path

import edge_models
import pyarrow.parquet as pq
import pytest
from kfp import dsl
from pyarrow import Table
from seaway import models
from seaway_components.edge import distil_model


def artifact(kind: type, path: Path) -> dsl.Artifact:
    path.parent.mkdir(exist_ok=True, parents=True)
    return kind(name=path.name, uri=str(path))


def test_the_step_trains_a_student_of_the_teachers_label_task_and_name(
    made: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    for name, seed, rows in (("train", 0, 400), ("validation", 1, 100)):
        pq.write_table(Table.from_pandas(edge_models.table(rows, seed)), tmp_path / f"{name}.parquet")
    student = artifact(dsl.Model, tmp_path / "out" / "student")
    figures = artifact(dsl.Metrics, tmp_path / "out" / "metrics")
    distil_model.python_func(
        teacher=artifact(dsl.Model, made("stations")),
        train=artifact(dsl.Dataset, tmp_path / "train.parquet"),
        validation=artifact(dsl.Dataset, tmp_path / "validation.parquet"),
        model=student,
        metrics=figures,
        links=artifact(dsl.Markdown, tmp_path / "out" / "links"),
        params={"categorical": ["station"], "numeric": ["size"], "hidden": [4], "epochs": 2, "name": "small"},
    )
    signature = models.Signature.read(Path(student.path))
    assert signature.target is not None
    assert (signature.name, signature.target.label, signature.target.task) == ("small", "good", "binary")
    assert figures.metadata["validation_loss"] > 0
    assert "validation loss" in student.metadata["summary"]
