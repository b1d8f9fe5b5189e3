"""What the tabular model takes and returns."""

from collections.abc import Sequence
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
    columns = column_specs(params)
    output = export.answer_spec(task, columns)
    return Signature(params.name, tuple(columns), (output,), sample, replace(task.target, output=output.name))


def column_specs(params: TabularParams) -> list[TensorSpec]:
    """Text columns, then numbers, in the order in which a graph takes them."""
    texts = [TensorSpec(name, "BYTES", unit=params.units.get(name, "")) for name in params.categorical]
    return [*texts, *(TensorSpec(name, "FP32", unit=params.units.get(name, "")) for name in params.numeric)]


def write_model(model: TabularModel, signed: Signature, folder: Path) -> None:
    """Write the trained model's files; see `loop.export`."""
    export.write_model(model, example(signed), signed, folder)


def example(signed: Signature) -> list[torch.Tensor]:
    """What the graph is traced on."""
    return examples(signed.inputs)


def examples(columns: Sequence[TensorSpec]) -> list[torch.Tensor]:
    """A tensor of `TRACED_ROWS` rows a column."""
    return [torch.zeros((export.TRACED_ROWS, 1), dtype=_dtype(spec)) for spec in columns]


def _dtype(spec: TensorSpec) -> torch.dtype:
    return torch.int64 if spec.datatype == "BYTES" else torch.float32
