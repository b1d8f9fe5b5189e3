"""The order in which a training takes its rows, and what it takes to get them."""

import hashlib
from collections.abc import Iterator

import numpy as np

from seaway.diagnosis.faults import Fault
from seaway.diagnosis.sample import Kind, Rows, Sample

FAR = 8.0  # deviations from what chance gives
LEAST = 64  # rows


def check(sample: Sample) -> Iterator[Fault]:
    """Whether the rows are shuffled, and anew each time."""
    first, second = sample.epochs
    if len(first.waited_s) < 2 or len(first) < LEAST:  # noqa: PLR2004
        return
    if _same(first, second):
        yield Fault("rows are not shuffled", "Two epochs take the rows in the same order." + _clumped(first, sample))
    elif told := _clumped(first, sample):
        yield Fault("rows are not shuffled", "Each epoch has an order of its own, but not one of chance." + told)


def _same(first: Rows, second: Rows) -> bool:
    return _mark(first) == _mark(second)


def _mark(rows: Rows) -> str:
    digest = hashlib.blake2b(rows.labels.numpy().tobytes())
    for tensor in rows.inputs:
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def _clumped(rows: Rows, sample: Sample) -> str:
    """Whether neighbours have the same label more often than chance has it (Wald and Wolfowitz 1940)."""
    labels = rows.truth
    if sample.kind is Kind.NUMBERS:
        centred = labels - labels.mean()
        alike = float((centred[1:] * centred[:-1]).mean() / max(centred.var(), 1e-30))
        far = alike * np.sqrt(len(labels))
    else:
        shares = np.unique(labels, return_counts=True)[1] / len(labels)
        chance = float((shares**2).sum())
        alike = float((labels[1:] == labels[:-1]).mean())
        far = (alike - chance) / np.sqrt(max(chance * (1 - chance), 1e-12) / len(labels))
    if far < FAR:
        return ""
    return f" Neighbours have like labels {far:.0f} deviations more often than by chance, so batches are one-sided."
