"""Some rows of a training as arrays, and what their labels are."""

import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from seaway.diagnosis.subject import Batch, Subject
from seaway.errors import DataUnreadable

ROWS = 20_000  # of a split that are looked at, at most
EPOCHS = 2  # whose order is compared
FEATURES = 512  # of a row, at most; larger ones are thinned
WORDS = 256  # bins that tokens are counted in
SEQUENCE = 8  # whole numbers in a row from which on they may be tokens
PICTURE, SIDE = 4, 12  # dimensions of a batch of pictures; what they are shrunk to
Floats = npt.NDArray[np.floating[Any]]
Array = npt.NDArray[Any]


class Kind(StrEnum):
    """What is predicted."""

    CLASSES = "classes"
    YES_NO = "yes or no"  # one or several of them
    NUMBERS = "numbers"


@dataclass(frozen=True)
class Rows:
    """Rows of a split in one order: `inputs` for the network, `labels` for the loss."""

    inputs: tuple[Tensor, ...]
    labels: Tensor
    waited_s: tuple[float, ...] = ()  # for each batch
    target: int = 0  # of several labels in a row, which one is looked at

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def features(self) -> Floats:
        """What a row is to something that is no network, float32 [rows, features]; missing and infinite are kept."""
        parts = [part for tensor in self.inputs for part in _features(tensor)]
        return np.concatenate(parts, axis=1) if parts else np.empty((len(self), 0), np.float32)

    @cached_property
    def truth(self) -> Array:
        """Labels, [rows], whole numbers where they are classes."""
        column = self.labels.reshape(len(self), -1)[:, self.target].numpy()
        truth: Array = column.astype(np.int64) if set(np.unique(column)) <= {0, 1} else column
        return truth

    def some(self, count: int, seed: int = 0) -> "Rows":
        """So many of them at most, drawn by chance, in their order."""
        if len(self) <= count:
            return self
        chosen = np.sort(np.random.default_rng(seed).choice(len(self), count, replace=False))
        return replace(self, inputs=tuple(tensor[chosen] for tensor in self.inputs), labels=self.labels[chosen])


@dataclass(frozen=True)
class Sample:
    """What the checks look at."""

    rows: Rows  # of the training, as they lie
    epochs: tuple[Rows, ...]  # as the training takes them
    validation: Rows
    batch: Batch  # the first of a training

    @property
    def kind(self) -> Kind:
        """Told by the labels: whole numbers are classes, floats that are 0 or 1 yes or no."""
        labels = self.rows.labels
        if not labels.is_floating_point() and labels.dtype is not torch.bool:
            return Kind.CLASSES
        return Kind.YES_NO if bool(((labels == 0) | (labels == 1)).all()) else Kind.NUMBERS

    @property
    def classes(self) -> int:
        """How many there are; 2 of what is no class."""
        return int(self.rows.labels.max()) + 1 if self.kind is Kind.CLASSES else 2


def sample(subject: Subject) -> Sample:
    """Read what is looked at.

    Raises:
        DataUnreadable: a split is empty, or its batches do not fit together.
    """
    first = next(iter(subject.epoch()), None)
    if first is None:
        raise DataUnreadable("The training gives no batch; its split, or the filter before it, left nothing.")
    rows = _read(subject.rows(), "the training rows")
    rows = replace(rows, target=_varying(rows.labels))
    epochs = tuple(_read(subject.epoch(), "an epoch", rows.target) for _ in range(EPOCHS))
    return Sample(rows, epochs, _read(subject.validation(), "validation", rows.target), first)


def _varying(labels: Tensor) -> int:
    """The first of several labels that is not the same in each row."""
    columns = labels.reshape(len(labels), -1).unbind(1)
    return next((place for place, column in enumerate(columns) if len(column.unique()) > 1), 0)


def _read(batches: Iterable[Batch], what: str, target: int = 0) -> Rows:
    read, waited, rows, began = list[Batch](), list[float](), 0, time.perf_counter()
    for batch in batches:
        waited.append(time.perf_counter() - began)
        read.append(batch)
        rows += len(batch[1])
        if rows >= ROWS:
            break
        began = time.perf_counter()
    if not rows:
        raise DataUnreadable(f"There are no rows in {what}.")
    try:
        inputs = tuple(torch.cat(parts).cpu() for parts in zip(*(inputs for inputs, _ in read), strict=True))
        return Rows(inputs, torch.cat([labels for _, labels in read]).cpu(), tuple(waited), target)
    except (RuntimeError, ValueError) as error:
        raise DataUnreadable(f"Batches of {what} differ in shape: {error}") from error


def _features(tensor: Tensor) -> Iterable[Floats]:
    if tensor.dim() == PICTURE and min(tensor.shape[2:]) > SIDE:
        tensor = functional.adaptive_avg_pool2d(tensor.float(), SIDE)
    flat = tensor.reshape(len(tensor), -1)
    if not tensor.is_floating_point() and flat.shape[1] >= SEQUENCE:
        yield _counts(flat)
    step = -(-flat.shape[1] // FEATURES) or 1
    yield flat[:, ::step].float().numpy()


def _counts(tokens: Tensor) -> Floats:
    """How often each of `WORDS` kinds of token is in a row."""
    counts = torch.zeros((len(tokens), WORDS))
    places = tokens.long().remainder(WORDS)
    counts.scatter_add_(1, places, torch.ones(places.shape))
    found: Floats = counts.numpy()
    return found


def batched(rows: Rows, size: int) -> Iterable[Batch]:
    """Batches of so many rows."""
    for begin in range(0, len(rows), size):
        part = slice(begin, begin + size)
        yield tuple(tensor[part] for tensor in rows.inputs), rows.labels[part]


def endless(subject: Subject, count: int) -> Iterable[Batch]:
    """So many batches of a training, over as many epochs as that takes."""
    epochs = itertools.chain.from_iterable(subject.epoch() for _ in itertools.count())
    return itertools.islice(epochs, count)
