"""Each bundled trainer is a subject: what its loop would do first."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet
from seaway.diagnosis import diagnose, subject_of
from seaway.errors import InvalidSpec
from seaway.training import TrainSpec

ROWS = 40


def picture(level: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), level, np.uint8)).save(file, "PNG")
    return file.getvalue()


TRAININGS: dict[str, tuple[dict[str, list[Any]], dict[str, Any]]] = {
    "tabular": (
        {"income": [float(row) for row in range(ROWS)], "plan": ["a", "b"] * (ROWS // 2)},
        {"numeric": ["income"], "categorical": ["plan"]},
    ),
    "text": (
        {"said": ["good day", "bad night"] * (ROWS // 2), "age": [float(row) for row in range(ROWS)]},
        {"text": "said", "numeric": ["age"]},
    ),
    "vision": ({"seen": [picture(40 + row) for row in range(ROWS)]}, {"image": "seen", "size": [8, 8]}),
}


@pytest.mark.parametrize("trainer", list(TRAININGS))
def test_its_epochs_differ_its_rows_do_not_and_its_loss_is_a_number(trainer: str, tmp_path: Path) -> None:
    columns, params = TRAININGS[trainer]
    file = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({**columns, "churned": [0, 1] * (ROWS // 2)}), file)
    spec = TrainSpec(
        file, file, tmp_path / "out", tmp_path / "checkpoints", entrypoint=f"seaway.training.{trainer}",
        params={**params, "label": "churned", "batch_size": 16},
    )  # fmt: skip
    subject = subject_of(spec)
    labels = [torch.cat([batch for _, batch in subject.epoch()]) for _ in range(2)]
    assert not torch.equal(*labels) and torch.equal(*(one.sort().values for one in labels))
    in_order = torch.cat([batch for _, batch in subject.rows()])
    assert in_order.flatten().tolist() == [0, 1] * (ROWS // 2)
    inputs, truth = next(iter(subject.epoch()))
    subject.optimizer(subject.network)
    assert torch.isfinite(subject.loss(subject.network(*inputs), truth))


def test_an_entrypoint_that_does_not_say_what_it_trains_is_refused(tmp_path: Path) -> None:
    for entrypoint, why in (("json", "Nobody says what json trains"), ("no.such", "cannot be imported")):
        with pytest.raises(InvalidSpec, match=why):
            subject_of(TrainSpec(tmp_path, tmp_path, tmp_path, tmp_path, entrypoint=entrypoint))


def test_a_leak_is_told_by_the_name_of_its_column(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for split, rows in (("train", 500), ("validation", 200)):
        churned = random.integers(0, 2, rows)
        columns = {name: random.normal(size=rows) + tells * churned for name, tells in (("age", 0.5), ("closed", 20.0))}
        parquet.write_table(pa.table({**columns, "churned": churned}), tmp_path / f"{split}.parquet")
    files = (tmp_path / "train.parquet", tmp_path / "validation.parquet")
    params = {"numeric": ["age", "closed"], "label": "churned", "batch_size": 64}
    [fault] = diagnose(subject_of(TrainSpec(*files, tmp_path / "out", tmp_path / "checkpoints", params=params))).faults
    assert fault.name == "leaking feature" and "(closed)" in fault.seen
