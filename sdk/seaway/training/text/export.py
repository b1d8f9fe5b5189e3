"""What the text model takes and returns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seaway.models.signature import Signature, TensorSpec
from seaway.tasks import Task
from seaway.training.loop import export
from seaway.training.tabular.export import column_specs, examples
from seaway.training.tabular.preprocessing import Preprocessing
from seaway.training.text.network import TextNetwork
from seaway.training.text.params import TextParams

SAMPLE_ROWS = 8


class TextModel(nn.Module):
    """What is exported: tokens, and [rows, 1] a column beside them, to answers [rows, width] and embeddings."""

    def __init__(self, preprocessing: Preprocessing, network: TextNetwork, task: Task) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        self.network = network
        self.task = task

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        tokens, *columns = inputs
        embedded = self.network.embed(tokens)
        beside = self.preprocessing.of_columns(columns, embedded)
        return self.task.answer(self.network.head(*beside, embedded)), embedded


def signature(
    params: TextParams,
    task: Task,
    embedding: int,
    sample: Mapping[str, Sequence[Any]],
    settings: Mapping[str, Any],
    folder: Path,
) -> Signature:
    """A text, then text columns and numbers, each [rows, 1]; out come the task's answer and the text's embedding."""
    unit = params.units.get(params.text, "")
    text = TensorSpec(params.text, "BYTES", unit=unit, preprocessing=settings)
    return export.embedding_signature(params.name, [text, *column_specs(params)], task, embedding, sample, folder)


def write_model(model: TextModel, params: TextParams, signed: Signature, folder: Path) -> None:
    """Write the trained model's files; see `loop.export`. The tokenizer is there already."""
    tokens = torch.zeros((export.TRACED_ROWS, params.length), dtype=torch.int64)
    export.write_model(model, [tokens, *examples(signed.inputs[1:])], signed, folder)
