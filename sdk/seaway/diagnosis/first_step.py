"""Whether one step can be made at all: network, loss and gradient on the first batch."""

from collections.abc import Iterator

from seaway.diagnosis.copies import copied
from seaway.diagnosis.faults import Fault
from seaway.diagnosis.sample import Sample
from seaway.diagnosis.subject import Subject


def check(subject: Subject, sample: Sample) -> Iterator[Fault]:
    """The exception of the author's own code, for it would be that of each training."""
    inputs, labels = sample.batch
    network, what = copied(subject.network).train(), "network"
    try:
        outputs = network(*inputs)
        what = "loss"
        subject.loss(outputs, labels).backward()
    except Exception as error:  # noqa: BLE001 - whatever somebody else's code raises
        shapes = f"inputs {[list(one.shape) for one in inputs]}, labels {list(labels.shape)} of {labels.dtype}"
        told = f"The {what} fails on the first batch: {type(error).__name__}: {error} ({shapes})."
        yield Fault("the first step fails", told)
