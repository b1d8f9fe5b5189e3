"""A trained model as files: exported graph, weights, signature."""

from collections.abc import Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from seaway.models.signature import Signature, TensorSpec
from seaway.storage import atomic_path
from seaway.tasks import Task

TRACED_ROWS = 2  # any number above 1: torch.export takes 1 for a constant


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
