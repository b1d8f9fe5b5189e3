"""Labelled requests until the judge catches a stated rise of the loss, for each task.

The model knows what can be known of a row; the faulty one answers some requests with what is another row's, so many
that the mean loss rises by `RISE`. Each request is asked of both arms. Beside it the size of a z-test that is looked at
once, at the same chance of a false alarm and 90 % power: what must be planned before, and is spent on any fault.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from scipy.stats import norm
from seaway import tasks
from seaway.rollout.judge.criteria import QualityComparison

from benchmarks import Row, main
from benchmarks.judge import enough
from benchmarks.judge_noise import Shape
from benchmarks.judge_peers import compared

Floats = NDArray[np.float64]
World = tuple[Floats, NDArray[np.generic] | list[list[str]]]  # answers, and the labels that they are of

SEED = 17
RISE = 0.05
SHAPE = Shape(100, 100, 30)  # rollouts, looks, requests of each arm in a look
POWER = 0.9
NOISE, NINE_TENTHS = 0.3, 1.2816  # deviation of a number around what is known of it; the normal's quantile


def measure() -> list[Row]:
    random = np.random.default_rng(SEED)
    return [_row(name, *world(random), random) for name, world in _worlds()]


def _worlds() -> Iterator[tuple[str, Callable[[np.random.Generator], World]]]:
    yield "binary", _binary
    yield "multiclass", _multiclass
    yield "multilabel", _multilabel
    yield "regression", lambda random: _number(random, 0.0)
    yield "quantile:0.9", lambda random: _number(random, NINE_TENTHS)


def _binary(random: np.random.Generator) -> World:
    chances = expit(random.normal(0, 2.5, _rows()))
    return chances, (random.random(_rows()) < chances).astype(int)


def _multiclass(random: np.random.Generator) -> World:
    chances = softmax(random.normal(0, 2, (_rows(), 5)), axis=1)
    called = (chances.cumsum(axis=1) < random.random((_rows(), 1))).sum(axis=1)
    return chances, np.array(list("abcde"))[np.minimum(called, 4)]


def _multilabel(random: np.random.Generator) -> World:
    chances = expit(random.normal(0, 2.5, (_rows(), 3)))
    there = random.random(chances.shape) < chances
    return chances, [[name for name, has in zip("abc", row, strict=True) if has] for row in there.tolist()]


def _number(random: np.random.Generator, above: float) -> World:
    known = random.normal(size=_rows())
    return known + NOISE * above, known + random.normal(0, NOISE, _rows())


def _rows() -> int:
    return SHAPE.runs * SHAPE.observations * SHAPE.size


def _row(name: str, answers: Floats, values: NDArray[np.generic] | list[list[str]], random: np.random.Generator) -> Row:
    given = np.empty(len(values), object)
    given[:] = values
    task = tasks.named(name, "y", given, "the benchmark's rows")
    labels = task.labels(given, "the benchmark's rows")
    right, wrong = (task.losses(each, labels) for each in (answers, random.permutation(answers)))
    share = RISE / float(wrong.mean() - right.mean())
    rises = np.where(random.random(_rows()) < share, wrong - right, 0.0)
    looks = QualityComparison(list(rises.reshape(-1, SHAPE.size)), (0, 0))
    first = compared(looks, SHAPE.runs, enough("quality"), 0.0)
    spent = SHAPE.size * float(np.mean(np.where(first > 0, first, SHAPE.observations)))
    fixed = (norm.isf(np.exp(-enough("quality"))) + norm.ppf(POWER)) ** 2 * rises.var() / RISE**2
    note = f"{share:.0%} of the answers are another row's; caught in {np.mean(first > 0):.0%} of {SHAPE.runs}"
    return Row(f"{name}, mean loss {right.mean():.3f} + {RISE}", spent, fixed, "requests", "", "lower", note)


if __name__ == "__main__":
    main(measure)
