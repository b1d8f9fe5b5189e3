"""A training as its author has set it up, before its first step."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from seaway.errors import InvalidSpec
from seaway.training.spec import TrainSpec

Batch = tuple[tuple[Tensor, ...], Tensor]  # what the network is called with, and the labels, rows first
Batches = Callable[[], Iterable[Batch]]


@dataclass(frozen=True)
class Subject:
    """What is examined; it is copied, never changed.

    Attributes:
        network: In its first state; called with the inputs of a batch.
        loss: Of outputs and labels, the mean or the sum over the rows.
        optimizer: Makes what changes a network's weights, at the rate that the training would have.
        epoch: The batches of an epoch, in the order in which the training takes them; called again, the next epoch's.
        rows: The training rows as they lie where they are read from, without augmentation.
        validation: The validation rows in their order.
        columns: Names of the inputs' features, where they have any.
    """

    network: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    epoch: Batches
    rows: Batches
    validation: Batches
    columns: tuple[str, ...] = ()

    def called(self, place: int, count: int) -> str:
        """What a feature is called, of so many; by its number where that many have no names."""
        return f"feature {place + 1}" + (f" ({self.columns[place]})" if len(self.columns) == count else "")

    @classmethod
    def of_loaders(
        cls,
        network: nn.Module,
        loss: Callable[[Tensor, Tensor], Tensor],
        optimizer: Callable[[nn.Module], torch.optim.Optimizer],
        train: DataLoader[Any],
        validation: DataLoader[Any],
    ) -> "Subject":
        """A plain PyTorch training. Loaders give `(inputs, labels)`; inputs are a tensor or a tuple of them."""
        return cls(
            network, loss, optimizer, lambda: _batches(train), lambda: _batches(_in_order(train)),
            lambda: _batches(_in_order(validation)),
        )  # fmt: skip


def subject_of(spec: TrainSpec) -> Subject:
    """The training that a spec asks for: a bundled trainer's, or that of `subject(spec)` in its entrypoint.

    Raises:
        InvalidSpec: the entrypoint has no such function.
        DataUnreadable: as the trainer.
    """
    package, _, name = spec.entrypoint.rpartition(".")
    module = f"seaway.diagnosis.bundled.{name}" if package == "seaway.training" else spec.entrypoint
    try:
        make = getattr(importlib.import_module(module), "subject", None)
    except ModuleNotFoundError as error:
        raise InvalidSpec(f"The entrypoint {spec.entrypoint} cannot be imported: {error}.") from error
    if not callable(make):
        raise InvalidSpec(
            f"Nobody says what {spec.entrypoint} trains: give it a function subject(spec) that returns a "
            "seaway.diagnosis.Subject (docs/how-to/find-what-is-wrong-with-a-training.md)."
        )
    made: Subject = make(spec)
    return made


def _in_order(loader: DataLoader[Any]) -> DataLoader[Any]:
    if isinstance(loader.dataset, IterableDataset):
        return loader
    return DataLoader(loader.dataset, batch_size=loader.batch_size or 1, collate_fn=loader.collate_fn)


def _batches(loader: Iterable[Any]) -> Iterator[Batch]:
    for batch in loader:
        if not (isinstance(batch, list | tuple) and len(batch) == 2):  # noqa: PLR2004
            raise InvalidSpec(f"A batch is a pair of inputs and labels, not {type(batch).__name__}.")
        inputs, labels = batch
        given = tuple(inputs) if isinstance(inputs, list | tuple) else (inputs,)
        if not all(isinstance(one, Tensor) for one in (*given, labels)):
            kinds = ", ".join(type(one).__name__ for one in (*given, labels))
            raise InvalidSpec(f"Inputs and labels of a batch are tensors, not {kinds}; collate them into such.")
        yield given, labels
