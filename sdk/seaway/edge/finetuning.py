"""A model that is trained further as it was exported: pruned, or so that it survives eight bits.

The graph of torch.export is the network, whoever wrote it. It goes through the bundled trainers' loop, in this process:
few epochs over an existing model, taught by its own answers from before (see `loop.distillation`).
"""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from seaway import tasks
from seaway.edge.rows import columns, read_inputs
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.evaluation import rows as held_out
from seaway.models import Signature
from seaway.models.flavours.torch_export import GRAPH_FILE, WEIGHTS_FILE, load_program
from seaway.models.signature import SIGNATURE_FILE, TORCH_EXPORT
from seaway.storage import atomic_path
from seaway.tasks import Task
from seaway.training.checkpoint import Checkpoints
from seaway.training.loop.distillation import Lesson
from seaway.training.loop.epochs import Data, Fit, adamw, run_epochs
from seaway.training.loop.params import LoopParams
from seaway.training.loop.process_group import Worker
from seaway.training.loop.teacher_params import TeacherParams

AT_ONCE = 256  # rows that are answered in one call


@dataclass(frozen=True, kw_only=True)
class TuneParams(LoopParams):
    """How long, how fast; the columns are those of the model's signature."""

    epochs: int = 5
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    patience: int = 3

    @property
    def columns(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Encoded:
    """Rows as the graph takes them, [rows, ...] an input, and labels as the task's loss does."""

    inputs: tuple[Tensor, ...]
    labels: Tensor

    def batch(self, rows: Tensor, training: bool) -> tuple[Tensor, ...]:
        return tuple(each[rows] for each in self.inputs)


class GraphNetwork(nn.Module):
    """An exported graph as the loop trains a network: from its inputs to what its task's answer is made of."""

    def __init__(self, graph: Any, place: int, task: Task) -> None:
        super().__init__()
        self.graph, self.place, self.task = graph, place, task

    def train(self, mode: bool = True) -> "GraphNetwork":
        """A graph is exported for answering, and knows no other mode."""
        self.training = mode
        return self

    def forward(self, *inputs: Tensor) -> Tensor:
        answers = pytree.tree_leaves(self.graph(*inputs))[self.place]
        return self.task.outputs(answers.reshape(len(answers), -1))


@dataclass(frozen=True)
class Trained:
    """A model at hand: graph, signature, task, and the rows that it is trained further on."""

    program: torch.export.ExportedProgram
    signature: Signature
    task: Task
    train: Encoded
    validation: Encoded

    @classmethod
    def read(cls, model: Path, train: Path, validation: Path) -> "Trained":
        """Raises: InvalidSpec: another flavour, or no task; DataUnreadable: rows lack an input or the label."""
        signature = Signature.read(model)
        if signature.flavour != TORCH_EXPORT or signature.target is None:
            raise InvalidSpec(
                f"{signature.name} is of the flavour {signature.flavour} and "
                f"{'says a task' if signature.target else 'says no task'}; only a graph of torch.export whose "
                "signature says what it predicts is trained further."
            )
        task = tasks.of(signature.target)
        rows = (_encoded(signature, task, each) for each in (train, validation))
        return cls(load_program(model / GRAPH_FILE), signature, task, *rows)

    @property
    def place(self) -> int:
        """Of the prediction among the graph's outputs."""
        return [spec.name for spec in self.signature.outputs].index(self.signature.prediction)

    def network(self, graph: Any) -> GraphNetwork:
        return GraphNetwork(graph, self.place, self.task)

    def lesson(self, params: TeacherParams) -> Lesson:
        """What the model as it is answers to the training rows."""
        network, count = self.network(self.program.module()), len(self.train.labels)
        with torch.no_grad():
            parts = [network(*self.train.batch(part, False)) for part in torch.arange(count).split(AT_ONCE)]
        return Lesson(torch.cat(parts), None, params)


def finetune(
    model: Trained, graph: Any, params: TuneParams, seed: int, lesson: Lesson, after: Callable[[], None] | None = None
) -> Fit:
    """Train a graph in place; it ends with the weights of the best epoch.

    Args:
        model: What it was made of.
        graph: Its weights are parameters; it takes and gives what the model does.
        params: Epochs, rows a step, learning rate.
        seed: Of the order of rows.
        lesson: What the model answered before.
        after: Called behind each step, as for weights that have to stay zero.
    """
    network, worker = model.network(graph), Worker(0, 1, torch.device("cpu"))
    own = [weight for weight in network.parameters() if weight.is_floating_point()]
    for weight in own:
        weight.requires_grad_(True)
    fit = Fit(network, adamw(network, params), worker)
    if after is not None:
        fit.optimizer.register_step_post_hook(lambda *_: after())
    with tempfile.TemporaryDirectory(prefix="seaway-tuned-") as folder:
        data = Data(model.train, model.validation, model.task, lesson)
        run_epochs(fit, data, params, seed, Checkpoints(Path(folder), "tuned"), None)
    weights = dict(network.named_parameters())
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(fit.best[name])
    return fit


def write_tuned(program: torch.export.ExportedProgram, source: Path, output: Path) -> None:
    """Write a trained model's files: the graph, its weights, and the signature and tokenizer of `source`."""
    import safetensors.torch

    signature = Signature.read(source)
    output.mkdir(parents=True, exist_ok=True)
    program.example_inputs = None  # they would be written as a pickle
    weights = {name: tensor.detach().clone().contiguous() for name, tensor in program.state_dict.items()}
    with atomic_path(output / WEIGHTS_FILE) as draft:
        safetensors.torch.save_file(weights, draft)
    with atomic_path(output / GRAPH_FILE) as draft, draft.open("wb") as stream:
        torch.export.save(program, stream)
    for name in (*signature.files, SIGNATURE_FILE):
        shutil.copyfile(source / name, output / name)


def put_weights(program: torch.export.ExportedProgram, weights: Mapping[str, Tensor]) -> None:
    """Give a program the weights of these names, in place."""
    with torch.no_grad():
        for name, tensor in program.state_dict.items():
            if name in weights:
                tensor.data.copy_(weights[name])


def _encoded(signature: Signature, task: Task, rows: Path) -> Encoded:
    table = read_inputs(signature, rows, [task.target.label])
    if task.target.label not in table.column_names:
        raise DataUnreadable(f"{rows} has no column {task.target.label!r}, the label that is learned from.")
    labels = task.labels(held_out.column(table, task.target.label), str(rows))
    encoded = signature.encode(columns(signature, table))
    inputs = tuple(torch.from_numpy(encoded[spec.name].copy()) for spec in signature.inputs)
    return Encoded(inputs, torch.from_numpy(task.training_labels(labels).copy()))
