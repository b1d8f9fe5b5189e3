"""The trained model as files: exported graph, weights, signature."""

from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch

from seaway.models.signature import Signature, TensorSpec
from seaway.storage import atomic_path
from seaway.tasks import Task
from seaway.training.tabular.network import TabularModel
from seaway.training.tabular.params import TabularParams

TRACED_ROWS = 2  # any number above 1: torch.export takes 1 for a constant


def signature(params: TabularParams, task: Task, sample: dict[str, list[object]]) -> Signature:
    """Text columns, then numbers, as [rows, 1]; out comes the task's answer."""
    texts = [TensorSpec(name, "BYTES", unit=params.units.get(name, "")) for name in params.categorical]
    numbers = [TensorSpec(name, "FP32", unit=params.units.get(name, "")) for name in params.numeric]
    taken = {spec.name for spec in (*texts, *numbers)}
    name = task.output if task.output not in taken else f"{task.output} of {params.label}"
    output = TensorSpec(name, "FP32", (-1, task.width), task.output_unit)
    return Signature(params.name, (*texts, *numbers), (output,), sample, replace(task.target, output=name))


def write_model(model: TabularModel, signed: Signature, folder: Path) -> None:
    """Write `model.pt2`, `model.safetensors` and `signature.json`, each atomically."""
    model = model.cpu().eval()
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    with atomic_path(folder / "model.safetensors") as draft:
        safetensors.torch.save_file(weights, draft)
    with atomic_path(folder / "model.pt2") as draft, draft.open("wb") as stream:
        torch.export.save(exported(model, signed), stream)
    signed.write(folder)


def exported(model: TabularModel, signed: Signature) -> torch.export.ExportedProgram:
    """The graph, for any number of rows."""
    inputs = tuple(torch.zeros((TRACED_ROWS, 1), dtype=_dtype(spec)) for spec in signed.inputs)
    rows = torch.export.Dim("rows")
    program = torch.export.export(model, inputs, dynamic_shapes=(tuple({0: rows} for _ in inputs),), strict=False)
    program.example_inputs = None  # they would be written as a pickle
    return program


def _dtype(spec: TensorSpec) -> torch.dtype:
    return torch.int64 if spec.datatype == "BYTES" else torch.float32
