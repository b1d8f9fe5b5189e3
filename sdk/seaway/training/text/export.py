"""What the text model takes and returns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from seaway.models.signature import Signature, TensorSpec
from seaway.tasks import Task
from seaway.training.loop import export
from seaway.training.text.params import TextParams

SAMPLE_ROWS = 8


def signature(
    params: TextParams, task: Task, embedding: int, texts: Sequence[Any], settings: Mapping[str, Any], folder: Path
) -> Signature:
    """A text as [rows, 1]; out come the task's answer and the embedding."""
    unit = params.units.get(params.text, "")
    text = TensorSpec(params.text, "BYTES", unit=unit, preprocessing=settings)
    sample = [one or "" for one in texts[:SAMPLE_ROWS]]
    return export.embedding_signature(params.name, text, task, embedding, sample, folder)


def write_model(model: export.EmbeddingModel, params: TextParams, signed: Signature, folder: Path) -> None:
    """Write the trained model's files; see `loop.export`. The tokenizer is there already."""
    example = torch.zeros((export.TRACED_ROWS, params.length), dtype=torch.int64)
    export.write_model(model, [example], signed, folder)
