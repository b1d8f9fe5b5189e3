"""What the vision model takes and returns."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from seaway.models.signature import Signature, TensorSpec
from seaway.tasks import Task
from seaway.training.loop import export
from seaway.training.vision.params import VisionParams

SAMPLE_ROWS = 4
SMALL = 100_000  # bytes; larger pictures stay out of the sample while there are enough others


def signature(params: VisionParams, task: Task, embedding: int, files: Sequence[Any]) -> Signature:
    """A picture as [rows, 1]; out come the task's answer and the embedding.

    Raises:
        InvalidSpec: the label or the image column is named as an output is.
    """
    unit = params.units.get(params.image, "")
    image = TensorSpec(params.image, "BYTES", unit=unit, preprocessing=params.stage)
    chosen = sorted(files[: 8 * SAMPLE_ROWS], key=lambda file: len(file) > SMALL)[:SAMPLE_ROWS]
    sample = [base64.b64encode(file).decode() for file in chosen]
    return export.embedding_signature(params.name, [image], task, embedding, {image.name: sample})


def write_model(model: export.EmbeddingModel, params: VisionParams, signed: Signature, folder: Path) -> None:
    """Write the trained model's files; see `loop.export`."""
    example = torch.zeros((export.TRACED_ROWS, params.channels, *params.size), dtype=torch.uint8)
    export.write_model(model, [example], signed, folder)
