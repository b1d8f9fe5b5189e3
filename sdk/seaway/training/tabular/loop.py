"""The training loop: epochs over global batches, early stopping, a checkpoint an epoch."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from seaway.errors import TrainingFailed
from seaway.tasks import Task
from seaway.training.checkpoint import Checkpoint, Checkpoints
from seaway.training.history import HistoryWriter
from seaway.training.tabular.batching import epoch_order, shards
from seaway.training.tabular.fsdp import split_like, whole
from seaway.training.tabular.lr_schedule import one_cycle
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.process_group import Worker

SCORED_AT_ONCE = 1 << 15  # rows; bounds the memory of validation
log = logging.getLogger(__name__)

History = list[dict[str, Any]]


@dataclass(frozen=True)
class Prepared:
    """Examples after preprocessing: positions int64 [rows, categorical], numbers float32 [rows, 2 numeric], labels."""

    categories: Tensor
    numbers: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Data:
    """What is learned from, what early stopping looks at, and what it means to predict a label of both."""

    train: Prepared
    validation: Prepared
    task: Task


@dataclass
class Fit:
    """A network on its way: optimizer, the figures of the epochs so far, and the weights of the best of them."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    history: History = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss, counted from 1; 0 before the first."""
        return int(min(self.history, key=lambda entry: entry["validation_loss"], default={"epoch": 0})["epoch"])

    def finished(self, params: TabularParams) -> bool:
        """Whether all epochs are done, or none of the last `patience` was better."""
        epochs = len(self.history)
        return epochs >= params.epochs or epochs - self.best_epoch >= params.patience

    def add(self, entry: dict[str, Any]) -> None:
        """Take an epoch's figures, and its weights where it is the best so far."""
        self.history.append(entry)
        if self.best_epoch == entry["epoch"]:
            self.best = {name: whole(tensor).clone() for name, tensor in self.network.state_dict().items()}

    def checkpoint(self) -> Checkpoint:
        """What `resume` needs, on every process; all call this together.

        Random numbers are drawn from seed and epoch alone, so there is no state of theirs.
        """
        tensors = {f"model.{name}": whole(tensor) for name, tensor in self.network.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": whole(tensor) for name, tensor in state.items()}
        return Checkpoint(len(self.history), tensors, {"history": self.history})

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from the end of the checkpoint's epoch."""
        here = self.network.state_dict()
        weights = _below("model.", checkpoint.tensors)
        self.network.load_state_dict({name: split_like(tensor, here[name]) for name, tensor in weights.items()})
        self.best = _below("best.", checkpoint.tensors)
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        states: dict[int, dict[str, Tensor]] = {}
        for key, tensor in _below("optimizer.", checkpoint.tensors).items():
            index, name = key.split(".", 1)
            parameter = parameters[int(index)]
            part = split_like(tensor, parameter) if tensor.shape == parameter.shape else tensor
            states.setdefault(int(index), {})[name] = part
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})
        self.history = list(checkpoint.state["history"])


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def adamw(network: nn.Module, params: TabularParams) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019), one fused kernel a step."""
    return torch.optim.AdamW(
        network.parameters(), lr=params.learning_rate, weight_decay=params.weight_decay, fused=True
    )


def run_epochs(
    fit: Fit,
    data: Data,
    params: TabularParams,
    seed: int,
    worker: Worker,
    checkpoints: Checkpoints,
    writer: HistoryWriter | None,
) -> None:
    """Train until `fit` is finished; only the worker with a `writer` writes files.

    Raises:
        TrainingFailed: the loss is no number any more.
        CheckpointUnusable: a checkpoint cannot be written.
    """
    module = worker.distributed(fit.network, params.parallel)
    while not fit.finished(params):
        started = time.perf_counter()
        epoch = len(fit.history) + 1
        loss = train_epoch(module, fit.optimizer, data, params, seed, epoch, worker)
        figures = {"epoch": epoch, "loss": loss, **validate(fit.network, data, worker)}
        _require_finite(figures)
        fit.add({**figures, "seconds": time.perf_counter() - started})
        checkpoint = fit.checkpoint()
        if writer is not None:
            checkpoints.save(checkpoint)
            writer.write(fit.history)
            log.info("%s", _line(fit.history, params))


def train_epoch(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Data,
    params: TabularParams,
    seed: int,
    epoch: int,
    worker: Worker,
) -> float:
    """One pass over all rows; the mean training loss.

    A worker's loss is its rows' sum over the global batch, times the workers, because gradients are averaged over
    them: so each row weighs the same on any number of workers.
    """
    module.train()
    train, rows = data.train, len(data.train.labels)
    per_epoch = -(-rows // params.batch_size)
    order = epoch_order(rows, seed, epoch).to(worker.device)
    total = torch.zeros((), device=worker.device)
    for step, (mine, size) in enumerate(shards(order, params.batch_size, worker.rank, worker.count)):
        share = one_cycle((epoch - 1) * per_epoch + step, params.epochs * per_epoch)
        optimizer.param_groups[0]["lr"] = params.learning_rate * share
        optimizer.zero_grad()
        loss = data.task.loss(module(train.categories[mine], train.numbers[mine]), train.labels[mine])
        (loss * (worker.count / size)).backward()
        optimizer.step()
        total += loss.detach()
    return float(worker.total(total)) / rows


@torch.no_grad()
def validate(network: nn.Module, data: Data, worker: Worker) -> dict[str, float]:
    """Loss and the task's figures over all rows, each worker scoring its part; the same bits on each, so all stop
    alike.

    All score in equally many calls, because split weights are gathered in each.
    """
    network.eval()
    validation, rows = data.validation, len(data.validation.labels)
    outputs = torch.zeros((rows, data.task.width), device=worker.device)
    mine = torch.arange(rows, device=worker.device).tensor_split(worker.count)[worker.rank]
    for part in mine.tensor_split(-(-rows // (worker.count * SCORED_AT_ONCE))):
        outputs[part] = network(validation.categories[part], validation.numbers[part])
    worker.total(outputs)
    exact = validation.labels.double() if validation.labels.is_floating_point() else validation.labels
    loss = float(data.task.loss(outputs.double(), exact)) / rows
    return {"validation_loss": loss, **data.task.validation(outputs, validation.labels)}


def _require_finite(figures: Mapping[str, float]) -> None:
    if not all(torch.isfinite(torch.tensor(value)) for value in figures.values()):
        raise TrainingFailed(
            f"The loss of epoch {figures['epoch']} is no number: the training diverged; lower learning_rate, "
            f"or look for extreme values in the numeric columns."
        )


def _line(history: Sequence[Mapping[str, Any]], params: TabularParams) -> str:
    last = history[-1]
    figures = [
        f"{name.replace('_', ' ')} {value:.4f}" for name, value in last.items() if name.startswith("validation_")
    ]
    return (
        f"epoch {last['epoch']}/{params.epochs}: loss {last['loss']:.4f}, {', '.join(figures)}, {last['seconds']:.1f} s"
    )
