"""The bundled trainers as subjects: what their loop would do, before its first step."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from seaway.diagnosis.subject import Batch, Subject
from seaway.training.loop.batching import epoch_order
from seaway.training.loop.epochs import Data, Examples, adamw
from seaway.training.loop.params import LoopParams

BATCHES_IN_ORDER = 256  # rows


def of_loop(network: nn.Module, data: Data, params: LoopParams, seed: int, columns: tuple[str, ...] = ()) -> Subject:
    """A network and its rows as `seaway.training.loop` learns them, at the highest rate of its cycle."""
    epochs = iter(range(1, 1 << 62))
    return Subject(
        network,
        data.task.loss,
        partial(adamw, params=params),
        lambda: _epoch(data.train, params.batch_size, epoch_order(len(data.train.labels), seed, next(epochs))),
        lambda: _in_order(data.train),
        lambda: _in_order(data.validation),
        columns,
    )


def _epoch(examples: Examples, size: int, order: torch.Tensor) -> Iterator[Batch]:
    for rows in order.split(size):
        yield examples.batch(rows, training=True), examples.labels[rows]


def _in_order(examples: Examples) -> Iterator[Batch]:
    for rows in torch.arange(len(examples.labels)).split(BATCHES_IN_ORDER):
        yield examples.batch(rows, training=False), examples.labels[rows]
