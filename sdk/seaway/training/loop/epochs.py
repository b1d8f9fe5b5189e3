"""The training loop: epochs over global batches, early stopping, a checkpoint an epoch."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from seaway.errors import TrainingFailed
from seaway.tasks import Task
from seaway.training.checkpoint import Checkpoint, Checkpoints
from seaway.training.history import HistoryWriter
from seaway.training.loop.batching import epoch_order, shards
from seaway.training.loop.fsdp import split_like
from seaway.training.loop.lr_schedule import one_cycle
from seaway.training.loop.params import LoopParams
from seaway.training.loop.pipeline_parallel import Pipeline, PipelineWorker
from seaway.training.loop.process_group import Worker

log = logging.getLogger(__name__)

History = list[dict[str, Any]]


class Examples(Protocol):
    """Rows after preprocessing, on the worker's device, in any form that the network takes."""

    @property
    def labels(self) -> Tensor:
        """In the task's form, [rows, ...]."""
        ...

    def batch(self, rows: Tensor, training: bool) -> tuple[Tensor, ...]:
        """What the network is called with for some rows; augmented where it is for `training`."""
        ...


class Teacher(Protocol):
    """What is learned beside the labels."""

    def loss(self, task: Task, outputs: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
        """Summed loss of some training rows, whose labels are given."""
        ...


@dataclass(frozen=True)
class Data:
    """What is learned from, what early stopping looks at, what it means to predict a label of both, and who teaches."""

    train: Examples
    validation: Examples
    task: Task
    teacher: Teacher | None = None

    def loss(self, outputs: Tensor, rows: Tensor) -> Tensor:
        """Summed loss of some training rows."""
        labels = self.train.labels[rows]
        return self.teacher.loss(self.task, outputs, labels, rows) if self.teacher else self.task.loss(outputs, labels)


@dataclass
class Fit:
    """A network on its way: optimizer, the figures of the epochs so far, and the weights of the best of them."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    worker: Worker
    history: History = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss, counted from 1; 0 before the first."""
        return int(min(self.history, key=lambda entry: entry["validation_loss"], default={"epoch": 0})["epoch"])

    def finished(self, params: LoopParams) -> bool:
        """Whether all epochs are done, or none of the last `patience` was better."""
        epochs = len(self.history)
        return epochs >= params.epochs or epochs - self.best_epoch >= params.patience

    def add(self, entry: dict[str, Any]) -> None:
        """Take an epoch's figures, and its weights where it is the best so far."""
        self.history.append(entry)
        if self.best_epoch == entry["epoch"]:
            whole = self.worker.whole(self.network.state_dict())
            self.best = {name: tensor.clone() for name, tensor in whole.items()}

    def checkpoint(self) -> Checkpoint:
        """What `resume` needs, on every process; all call this together.

        Random numbers are drawn from seed, epoch and process alone, so there is no state of theirs.
        """
        mine = {f"model.{name}": tensor for name, tensor in self.network.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            mine |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
        tensors = self.worker.whole(mine) | {f"best.{name}": tensor for name, tensor in self.best.items()}
        return Checkpoint(len(self.history), tensors, {"history": self.history})

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from the end of the checkpoint's epoch."""
        here = {name: tensor for name, tensor in self.network.state_dict().items() if not tensor.is_meta}
        weights = _below("model.", checkpoint.tensors)
        self.network.load_state_dict(
            {name: split_like(weights[name], tensor) for name, tensor in here.items()}, strict=False
        )
        self.best = _below("best.", checkpoint.tensors)
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        states: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _below("optimizer.", checkpoint.tensors).items():
            index, name = key.split(".", 1)
            parameter = parameters[int(index)]
            if parameter.is_meta:
                continue
            part = split_like(tensor, parameter) if tensor.shape == parameter.shape else tensor
            states.setdefault(int(index), {})[name] = part
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})
        self.history = list(checkpoint.state["history"])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def adamw(network: nn.Module, params: LoopParams) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019), one fused kernel a step where all weights are of one kind."""
    learnt = [weight for weight in network.parameters() if weight.requires_grad]
    alike = len({(type(weight), weight.is_meta) for weight in learnt}) == 1
    settings = {"lr": params.learning_rate, "weight_decay": params.weight_decay}
    return torch.optim.AdamW(learnt, **settings, fused=alike, foreach=False)


def run_epochs(
    fit: Fit,
    data: Data,
    params: LoopParams,
    seed: int,
    checkpoints: Checkpoints,
    writer: HistoryWriter | None,
) -> None:
    """Train until `fit` is finished; only the worker with a `writer` writes files.

    Raises:
        TrainingFailed: the loss is no number any more.
        CheckpointUnusable: a checkpoint cannot be written.
    """
    worker = fit.worker
    module = _trained(fit.network, data, params, worker)
    scored = module if isinstance(module, Pipeline) else fit.network
    while not fit.finished(params):
        started = time.perf_counter()
        epoch = len(fit.history) + 1
        loss = train_epoch(module, fit.optimizer, data, params, seed, epoch, worker)
        figures = {"epoch": epoch, "loss": loss, **validate(scored, data, worker, params.scored_at_once)}
        _require_finite(figures)
        fit.add({**figures, "seconds": time.perf_counter() - started})
        checkpoint = fit.checkpoint()
        if writer is not None:
            checkpoints.save(checkpoint)
            writer.write(fit.history)
            log.info("%s", _line(fit.history, params))


def _trained(network: nn.Module, data: Data, params: LoopParams, worker: Worker) -> nn.Module:
    """What is called with the rows of a step."""
    if isinstance(worker, PipelineWorker):
        return Pipeline(network, worker, data.task, params.batch_size, params.accumulate)
    return worker.distributed(network)


def train_epoch(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Data,
    params: LoopParams,
    seed: int,
    epoch: int,
    worker: Worker,
) -> float:
    """One pass over all rows; the mean training loss."""
    module.train()
    rows = len(data.train.labels)
    per_epoch = -(-rows // params.batch_size)
    order = epoch_order(rows, seed, epoch).to(worker.device)
    worker.seed(seed, epoch)
    total = torch.zeros((), device=worker.device)
    for step, (mine, size) in enumerate(shards(order, params.batch_size, *worker.share)):
        share = one_cycle((epoch - 1) * per_epoch + step, params.epochs * per_epoch)
        optimizer.param_groups[0]["lr"] = params.learning_rate * share
        optimizer.zero_grad()
        total += _step(module, data, params, mine, size, worker)
        optimizer.step()
    return float(worker.total(total)) / rows


def _step(module: nn.Module, data: Data, params: LoopParams, mine: Tensor, size: int, worker: Worker) -> Tensor:
    """Add the gradients of this process's rows of a step of `size` rows; their loss."""
    if isinstance(module, Pipeline):
        return module.learn(data.train.batch(mine, training=True), data.train.labels[mine], size)
    total = torch.zeros((), device=worker.device)
    for last, part in _parts(mine, params.accumulate):
        with worker.gathering(module, last):
            total += _backward(module, data, part, worker.share[1] / size, worker.precision(params.precision))
    return total


def _parts(mine: Tensor, count: int) -> Iterator[tuple[bool, Tensor]]:
    """Equally many on each worker, some empty perhaps, and whether each is the last."""
    parts = mine.tensor_split(count) if count > 1 else (mine,)
    for place, part in enumerate(parts, 1):
        yield place == count, part


def _backward(
    module: nn.Module, data: Data, rows: Tensor, weight: float, precision: AbstractContextManager[Any]
) -> Tensor:
    """Add the gradients of some rows; their loss.

    A worker's loss is its rows' sum over the global batch, times the workers, because gradients are averaged over
    them: so each row weighs the same on any number of workers.
    """
    with precision:
        outputs = module(*data.train.batch(rows, training=True))
    loss = data.loss(outputs.float(), rows)
    (loss * weight).backward()
    return loss.detach()


@torch.no_grad()
def validate(network: nn.Module, data: Data, worker: Worker, at_once: int) -> dict[str, float]:
    """Loss and the task's figures over all rows, each worker scoring its part; the same bits on each, so all stop
    alike.

    All score in equally many calls of at most `at_once` rows, because split weights are gathered in each.
    """
    network.eval()
    validation, rows = data.validation, len(data.validation.labels)
    outputs = torch.zeros((rows, data.task.width), device=worker.device)
    rank, count = worker.share
    mine = torch.arange(rows, device=worker.device).tensor_split(count)[rank]
    for part in mine.tensor_split(-(-rows // (count * at_once))):
        outputs[part] = network(*validation.batch(part, training=False))
    worker.total(outputs)
    exact = validation.labels.double() if validation.labels.is_floating_point() else validation.labels
    loss = float(data.task.loss(outputs.double(), exact)) / rows
    return {"validation_loss": loss, **data.task.validation(outputs, validation.labels)}


def _require_finite(figures: Mapping[str, float]) -> None:
    if not all(torch.isfinite(torch.tensor(value)) for value in figures.values()):
        raise TrainingFailed(
            f"The loss of epoch {figures['epoch']} is no number: the training diverged; lower learning_rate, "
            f"or look for extreme values in the data."
        )


def _line(history: Sequence[Mapping[str, Any]], params: LoopParams) -> str:
    last = history[-1]
    figures = [
        f"{name.replace('_', ' ')} {value:.4f}" for name, value in last.items() if name.startswith("validation_")
    ]
    return (
        f"epoch {last['epoch']}/{params.epochs}: loss {last['loss']:.4f}, {', '.join(figures)}, {last['seconds']:.1f} s"
    )
