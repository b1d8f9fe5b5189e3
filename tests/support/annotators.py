"""Annotators of a stated quality: what a crowd would answer."""

from collections.abc import Mapping, Sequence

import numpy as np
from seaway.labeling import Label

Confusion = Sequence[Sequence[float]]


def right(share: float, classes: int) -> Confusion:
    """Right so often, wrong evenly."""
    wrong = (1 - share) / (classes - 1)
    return [[share if truth == answer else wrong for answer in range(classes)] for truth in range(classes)]


def always(answer: int, classes: int) -> Confusion:
    """One answer to everything."""
    return [[float(answer == one) for one in range(classes)] for _ in range(classes)]


def labelled(
    truth: Sequence[str], classes: Sequence[str], annotators: Mapping[str, Confusion], share: float = 1.0, seed: int = 0
) -> list[Label]:
    """Each annotator answers that share of the items, whose keys are their places."""
    generator = np.random.default_rng(seed)
    return [
        Label(str(key), name, str(generator.choice(list(classes), p=confusion[classes.index(value)])))
        for name, confusion in annotators.items()
        for key, value in enumerate(truth)
        if generator.random() < share
    ]
