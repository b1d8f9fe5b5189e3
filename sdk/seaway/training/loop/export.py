"""A trained model as files: exported graph, weights, signature."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from seaway.models.signature import EMBEDDING, Signature, TensorSpec
from seaway.storage import atomic_path
from seaway.tasks import Task

TRACED_ROWS = 2  # any number above 1: torch.export takes 1 for a constant


class EmbeddingModel(nn.Module):
    """What is exported of a network with `embed` and `head`: its input to answers [rows, width] and embeddings."""

    def __init__(self, network: nn.Module, task: Task) -> None:
        super().__init__()
        self.network = network
        self.task = task

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        (given,) = inputs
        embedded = self.network.embed(given)
        return self.task.answer(self.network.head(embedded)), embedded


def embedding_signature(
    name: str,
    inputs: Sequence[TensorSpec],
    task: Task,
    size: int,
    sample: Mapping[str, Sequence[Any]],
    folder: Path | None = None,
) -> Signature:
    """Out come the task's answer and an embedding of `size`. Files of the inputs' stages are in `folder`.

    Raises:
        InvalidSpec: the label or an input is named as an output is.
    """
    answer = answer_spec(task, inputs)
    outputs = (answer, TensorSpec(EMBEDDING, "FP32", (-1, size)))
    target = replace(task.target, output=answer.name)
    return Signature(name, tuple(inputs), outputs, sample, target, folder=folder).proved()


def answer_spec(task: Task, inputs: Sequence[TensorSpec]) -> TensorSpec:
    """The output of a task, under a name that no input has."""
    taken = {spec.name for spec in inputs}
    name = task.output if task.output not in taken else f"{task.output} of {task.target.label}"
    return TensorSpec(name, "FP32", (-1, task.width), task.output_unit)


def write_model(model: nn.Module, example: Sequence[Tensor], signed: Signature, folder: Path) -> None:
    """Write `model.pt2`, `model.safetensors` and `signature.json`, each atomically.

    `model` takes `*inputs`; `example` has one tensor for each, of `TRACED_ROWS` rows.
    """
    model = model.cpu().eval()
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    with atomic_path(folder / "model.safetensors") as draft:
        safetensors.torch.save_file(weights, draft)
    with atomic_path(folder / "model.pt2") as draft, draft.open("wb") as stream:
        torch.export.save(exported(model, example), stream)
    signed.write(folder)


def exported(model: nn.Module, example: Sequence[Tensor]) -> torch.export.ExportedProgram:
    """The graph, for any number of rows."""
    rows = torch.export.Dim("rows")
    shapes = (tuple({0: rows} for _ in example),)
    program = torch.export.export(model, tuple(example), dynamic_shapes=shapes, strict=False)
    program.example_inputs = None  # they would be written as a pickle
    return program
