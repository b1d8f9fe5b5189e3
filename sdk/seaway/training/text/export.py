"""What the text model takes and returns."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seaway.models.signature import EMBEDDING, Signature, TensorSpec
from seaway.tasks import Task
from seaway.training.loop import export
from seaway.training.text.network import TextModel
from seaway.training.text.params import TextParams

SAMPLE_ROWS = 8


def signature(
    params: TextParams, task: Task, embedding: int, texts: Sequence[Any], settings: Mapping[str, Any], folder: Path
) -> Signature:
    """A text as [rows, 1]; out come the task's answer and the embedding."""
    unit = params.units.get(params.text, "")
    text = TensorSpec(params.text, "BYTES", unit=unit, preprocessing=settings)
    answer = export.answer_spec(task, [text])
    outputs = (answer, TensorSpec(EMBEDDING, "FP32", (-1, embedding)))
    sample = {params.text: [text or "" for text in texts[:SAMPLE_ROWS]]}
    target = replace(task.target, output=answer.name)
    return Signature(params.name, (text,), outputs, sample, target, folder=folder).proved()


def write_model(model: TextModel, params: TextParams, signed: Signature, folder: Path) -> None:
    """Write the trained model's files; see `loop.export`. The tokenizer is there already."""
    example = torch.zeros((export.TRACED_ROWS, params.length), dtype=torch.int64)
    export.write_model(model, [example], signed, folder)
