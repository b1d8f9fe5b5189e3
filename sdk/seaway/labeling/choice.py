"""Which rows to ask people about next: those that teach a model most, and a random share that judges it fairly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seaway.errors import InvalidSpec

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

RANDOM = "random"
TINY = 1e-12


@dataclass(frozen=True)
class Pool:
    """Rows that may be chosen.

    Attributes:
        probabilities: Of each class, [rows, classes]; None where no model was asked.
        embeddings: What rows are like, [rows, width]; None where there are none.
        labelled: Embeddings of rows that have labels, [rows, width].
        rows: How many there are.
    """

    rows: int
    probabilities: Floats | None = None
    embeddings: Floats | None = None
    labelled: Floats | None = None


def choose(pool: Pool, count: int, strategy: str, random_share: float, seed: int) -> tuple[Whole, Whole]:
    """Places of the rows to ask about: by the strategy, and at random. No row is in both; fewer rows are all taken.

    The random ones are drawn first, of all rows, so that they are a fair sample of the pool.

    Raises:
        InvalidSpec: an unknown strategy, one that lacks what it goes by, a share outside [0, 1], or a count below 1.
    """
    if count < 1 or not 0 <= random_share <= 1:
        raise InvalidSpec(f"{count} rows, {random_share} of them at random: choose 1 or more, with a share in [0, 1].")
    if strategy not in STRATEGIES:
        raise InvalidSpec(f"Rows are chosen by one of {', '.join(STRATEGIES)}, not {strategy!r}.")
    generator = np.random.default_rng(seed)
    count = min(count, pool.rows)
    order = generator.permutation(pool.rows)
    at_random = count if strategy == RANDOM else round(random_share * count)
    rest = np.sort(order[at_random:])
    wanted = count - at_random
    by_strategy = rest[STRATEGIES[strategy](_of(pool, rest), wanted, generator)] if wanted else rest[:0]
    return by_strategy, order[:at_random]


def _of(pool: Pool, places: Whole) -> Pool:
    probabilities = None if pool.probabilities is None else pool.probabilities[places]
    embeddings = None if pool.embeddings is None else pool.embeddings[places]
    return Pool(len(places), probabilities, embeddings, pool.labelled)


def _entropy(pool: Pool, count: int, _: np.random.Generator) -> Whole:
    """The most undecided over all classes."""
    likely = _probabilities(pool)
    return _highest(-(likely * np.log(likely + TINY)).sum(axis=1), count)


def _margin(pool: Pool, count: int, _: np.random.Generator) -> Whole:
    """The most undecided between the two likeliest classes."""
    two = np.sort(_probabilities(pool), axis=1)[:, -2:]
    return _highest(two[:, 0] - two[:, 1], count)


def _badge(pool: Pool, count: int, generator: np.random.Generator) -> Whole:
    """Gradients of the last layer, were the likeliest class true, picked by k-means++ (Ash et al., 2020).

    Long gradients are undecided rows, distant ones are different, so both count. A gradient is the outer product of
    error and embedding; distances are reckoned from the two factors, [rows, classes + width] in all.
    """
    error = _probabilities(pool).copy()
    error[np.arange(pool.rows), error.argmax(axis=1)] -= 1
    like = _embeddings(pool)
    length = (error**2).sum(axis=1) * (like**2).sum(axis=1)
    chosen = [int(length.argmax())]
    distance = np.full(pool.rows, np.inf)
    while len(chosen) < count:
        last = chosen[-1]
        distance = np.minimum(distance, length + length[last] - 2 * (error @ error[last]) * (like @ like[last]))
        distance[chosen] = 0
        weight = np.maximum(distance, 0)
        if weight.sum() <= TINY:  # the rest are alike
            left = np.setdiff1d(np.arange(pool.rows), chosen)
            return np.array([*chosen, *left[: count - len(chosen)]], np.int64)
        chosen.append(int(generator.choice(pool.rows, p=weight / weight.sum())))
    return np.array(chosen, np.int64)


def _core_set(pool: Pool, count: int, _: np.random.Generator) -> Whole:
    """Each the farthest from all that are labelled or chosen (Sener and Savarese, 2018)."""
    like = _embeddings(pool)
    known = pool.labelled if pool.labelled is not None and len(pool.labelled) else like.mean(axis=0, keepdims=True)
    distance = np.full(pool.rows, np.inf)
    for one in known:
        distance = np.minimum(distance, ((like - one) ** 2).sum(axis=1))
    chosen: list[int] = []
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, ((like - like[chosen[-1]]) ** 2).sum(axis=1))
        distance[chosen] = -1
    return np.array(chosen, np.int64)


def _random(pool: Pool, count: int, generator: np.random.Generator) -> Whole:
    return generator.permutation(pool.rows)[:count]


STRATEGIES: dict[str, Callable[[Pool, int, np.random.Generator], Whole]] = {
    "entropy": _entropy,
    "margin": _margin,
    "badge": _badge,
    "core_set": _core_set,
    RANDOM: _random,
}


def _probabilities(pool: Pool) -> Floats:
    if pool.probabilities is None:
        raise InvalidSpec("This strategy goes by a model's probabilities: give `model` and its `predictions`.")
    return pool.probabilities


def _embeddings(pool: Pool) -> Floats:
    if pool.embeddings is None:
        raise InvalidSpec("This strategy goes by what rows are like: name numeric columns in `embedding`.")
    return pool.embeddings


def _highest(scores: Floats, count: int) -> Whole:
    return np.argsort(-scores, kind="stable")[:count]
