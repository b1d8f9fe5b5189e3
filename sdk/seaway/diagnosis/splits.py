"""Rows that are on both sides of the split, and a validation split that is of another kind."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from seaway.diagnosis.faults import Fault
from seaway.diagnosis.probe import Probe
from seaway.diagnosis.sample import Kind, Rows, Sample

UNIQUE = 0.002  # of rows that are the same as another of their split, at most, where a row in both is no chance
KNOWN = 0.5  # score within the training rows from which on the validation rows should be predicted too
LOST = 0.15  # of that score is left there, or less


def check(sample: Sample, probe: Probe) -> Iterator[Fault]:
    """Faults of the split."""
    train, validation = _marks(sample.rows), _marks(sample.validation)
    if told := _shared(train, validation):
        yield Fault("rows in both splits", told)
    if told := _another_kind(sample, probe):
        yield Fault("validation is of another kind", told)


def _marks(rows: Rows) -> list[bytes]:
    """What tells rows apart."""
    parts = [tensor.reshape(len(rows), -1).numpy() for tensor in (*rows.inputs, rows.labels)]
    return [
        hashlib.blake2b(b"".join(part[place].tobytes() for part in parts), digest_size=12).digest()
        for place in range(len(rows))
    ]


def _shared(train: Sequence[bytes], validation: Sequence[bytes]) -> str:
    """Rows of both sides, where rows are so different that chance gives none."""
    if max(_repeated(train), _repeated(validation)) > UNIQUE:
        return ""
    both = set(train) & set(validation)
    meets = next((count for count in range(len(both), 0, -1) if train[-count:] == validation[:count]), 0)
    if not meets and len(both) <= _by_chance(train, validation):
        return ""
    where = f" The last {meets:,} of training are the first of validation: a bound is off." if meets else ""
    return f"{len(both):,} of {len(validation):,} validation rows are training rows as well.{where}"


def _by_chance(train: Sequence[bytes], validation: Sequence[bytes]) -> float:
    """Pairs across the split that there may be where pairs within it are as rare as they were seen to be, at most.

    None seen leaves up to three with 95 % (the rule of three).
    """
    within = sum(count * (count - 1) // 2 for side in (train, validation) for count in Counter(side).values())
    pairs = sum(len(side) * (len(side) - 1) / 2 for side in (train, validation))
    return (within + 3) / max(pairs, 1) * len(train) * len(validation)


def _repeated(marks: Sequence[bytes]) -> float:
    """The share of rows that are not the only ones of their kind."""
    return sum(count - 1 for count in Counter(marks).values()) / len(marks)


def _another_kind(sample: Sample, probe: Probe) -> str:
    """What trees learn of one side says nothing of the other."""
    other = Probe.of(sample.validation, sample.kind)
    if not (probe.usable and other.usable) or probe.features.shape[1] != other.features.shape[1]:
        return ""
    if sample.kind is not Kind.NUMBERS and set(np.unique(other.labels)) - set(np.unique(probe.labels)):
        return ""
    within = probe.known
    across = probe.on(other) if within >= KNOWN else within
    if across > LOST * within:
        return ""
    return (
        f"Trees that know {within:.0%} of what can be known of training rows that they have not seen know "
        f"{max(across, 0.0):.0%} of the validation rows."
    )
