"""Training rows with a teacher's answers beside them: what a student of any bundled trainer learns from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from seaway.edge.rows import columns, read_inputs
from seaway.errors import InvalidSpec
from seaway.models import Signature
from seaway.models.loaded import LoadedModel, load
from seaway.models.signature import EMBEDDING, Array

ANSWERS, STATES = "teacher answers", "teacher states"
AT_ONCE = 256  # rows that the teacher answers in one call


def write_taught(teacher: Path, train: Path, target: Path, hidden: bool, threads: int | None = None) -> None:
    """Write the training rows, and beside them what the teacher answers.

    Args:
        teacher: Package, or trained model, of any flavour.
        train: Parquet file with every input of the teacher.
        target: Parquet file that gets all of its columns, `ANSWERS` and, where `hidden`, `STATES`.
        hidden: Whether the teacher's embedding is learned from.
        threads: That an answer is computed on; None leaves torch's setting.

    Raises:
        InvalidSpec: its embedding is asked for, and the teacher has none.
        DataUnreadable: the rows lack an input of the teacher.
    """
    model = load(teacher, threads)
    wanted = {ANSWERS: model.signature.prediction, **({STATES: EMBEDDING} if hidden else {})}
    names = [spec.name for spec in model.signature.outputs]
    if missing := [name for name in wanted.values() if name not in names]:
        raise InvalidSpec(
            f"The teacher {model.signature.name} answers {', '.join(names)} and no {', '.join(missing)}; give hidden=0."
        )
    inputs = read_inputs(model.signature, train)
    answered = _answers(model, inputs, list(wanted.values()))
    rows = parquet.read_table(train)
    for column, values in zip(wanted, answered, strict=True):
        rows = rows.append_column(column, pa.array(list(values.reshape(len(values), -1).astype(np.float32))))
    parquet.write_table(rows, target)


def student_params(teacher: Signature, params: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """The params of a student: the teacher's classes in its order, and what `TeacherParams` wants to know.

    Raises:
        InvalidSpec: the teacher's task or label is another one, or it says none.
    """
    target = teacher.target
    if target is None:
        raise InvalidSpec(f"The signature of {teacher.name} says no task, so nobody knows what it teaches.")
    for what, theirs in (("label", target.label), ("task", target.task)):
        if params.get(what, theirs) != theirs:
            raise InvalidSpec(
                f"The student predicts the {what} {params[what]!r}, and {teacher.name} teaches {theirs!r}; give both "
                "the same."
            )
    classes = {"classes": list(target.classes)} if target.classes else {}
    states = {"states": STATES} if told.get("hidden") else {}
    return {
        "label": target.label, "task": target.task, **classes, **params,
        "teacher": {"answers": ANSWERS, **states, **told},
    }  # fmt: skip


def _answers(model: LoadedModel, rows: pa.Table, outputs: list[str]) -> list[Array]:
    parts = []
    for start in range(0, rows.num_rows, AT_ONCE):
        encoded = model.signature.encode(columns(model.signature, rows.slice(start, AT_ONCE)))
        answered = model.run(encoded)
        parts.append([answered[name] for name in outputs])
    return [np.concatenate(values) for values in zip(*parts, strict=True)]
