"""What the tabular model takes and returns."""

from dataclasses import replace
from pathlib import Path

import torch

from seaway.models.signature import Signature, TensorSpec
from seaway.tasks import Task
from seaway.training.loop import export
from seaway.training.tabular.network import TabularModel
from seaway.training.tabular.params import TabularParams


def signature(params: TabularParams, task: Task, sample: dict[str, list[object]]) -> Signature:
    """Text columns, then numbers, as [rows, 1]; out comes the task's answer."""
    texts = [TensorSpec(name, "BYTES", unit=params.units.get(name, "")) for name in params.categorical]
    numbers = [TensorSpec(name, "FP32", unit=params.units.get(name, "")) for name in params.numeric]
    output = export.answer_spec(task, [*texts, *numbers])
    return Signature(params.name, (*texts, *numbers), (output,), sample, replace(task.target, output=output.name))


def write_model(model: TabularModel, signed: Signature, folder: Path) -> None:
    """Write the trained model's files; see `loop.export`."""
    export.write_model(model, example(signed), signed, folder)


def example(signed: Signature) -> list[torch.Tensor]:
    """What the graph is traced on."""
    return [torch.zeros((export.TRACED_ROWS, 1), dtype=_dtype(spec)) for spec in signed.inputs]


def _dtype(spec: TensorSpec) -> torch.dtype:
    return torch.int64 if spec.datatype == "BYTES" else torch.float32
