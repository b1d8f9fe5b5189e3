"""Whether two samples of embeddings are of one distribution, and how far they are apart.

The p-value is that of the maximum mean discrepancy (Gretton, Borgwardt, Rasch, Schölkopf and Smola 2012, "A Kernel
Two-Sample Test") with a Gaussian kernel as wide as the median distance, by permutation. Rows of one day are not
independent, so whole days are permuted; where the days are few, so are the permutations that differ, and the p-value
cannot be small. The distance is Wasserstein's in standard deviations of the reference along Fisher's discriminant:
half of the rows choose the direction, the other half are measured, so that many dimensions are no distance by
themselves. docs/reference/monitoring.md tells what differences so many rows find.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROWS = 1_000  # of each sample, at most: the kernel has all their pairs
PERMUTATIONS = 999  # the least p-value is 0.001
SHRINKAGE = 0.1  # of the covariance towards its mean variance, as more dimensions than rows need it
SEED = 0


@dataclass(frozen=True)
class Difference:
    """How far apart two samples are, and how often chance alone would have them as far."""

    distance: float
    p_value: float


def difference(reference: Array, current: Array, reference_days: Array, current_days: Array) -> Difference:
    """Of embeddings [rows, size] and the day of each row; of fewer than four rows nothing is told."""
    least = 4
    if min(len(reference), len(current)) < least:
        return Difference(0.0, 1.0)
    random = np.random.default_rng(SEED)
    first, second = (
        _chosen(rows, days, random) for rows, days in ((reference, reference_days), (current, current_days))
    )
    scaled = _scaled(first[0], second[0])
    blocks = np.concatenate([first[1], second[1] + first[1].max() + 1])
    return Difference(_distance(*scaled, random), _p_value(*scaled, blocks, random))


def _chosen(rows: Array, days: Array, random: np.random.Generator) -> tuple[Array, Array]:
    """At most `ROWS` rows, and the days of them numbered from 0."""
    places = np.sort(random.permutation(len(rows))[:ROWS])
    return rows[places], np.unique(days[places], return_inverse=True)[1]


def _scaled(reference: Array, current: Array) -> tuple[Array, Array]:
    """In standard deviations of both, so that no dimension counts for its unit; of one alone, chance would tell."""
    both = np.concatenate([reference, current]).std(axis=0)
    scale = np.where(both > 0, both, 1.0)
    return reference / scale, current / scale


def _p_value(reference: Array, current: Array, blocks: Array, random: np.random.Generator) -> float:
    """By permuting the blocks, each with all its rows."""
    kernel = _kernel(np.concatenate([reference, current]))
    inside = np.zeros((len(kernel), PERMUTATIONS + 1), bool)
    inside[: len(reference), 0] = True
    size = int(blocks.max()) + 1
    of_reference = len(np.unique(blocks[: len(reference)]))
    for place in range(1, PERMUTATIONS + 1):
        chosen = np.zeros(size, bool)
        chosen[random.permutation(size)[:of_reference]] = True
        inside[:, place] = chosen[blocks]
    found = _discrepancies(kernel, inside)
    return float((found >= found[0] - 1e-12).mean())


def _kernel(rows: Array) -> Array:
    """Gaussian, of all pairs [rows, rows]."""
    norms = np.square(rows).sum(axis=1)
    squares = np.maximum(norms[:, None] + norms - 2 * rows @ rows.T, 0.0)
    width = float(np.median(squares[np.triu_indices(len(rows), 1)]))
    return np.exp(-squares / width) if width else np.ones_like(squares)


def _discrepancies(kernel: Array, inside: Array) -> Array:
    """The squared discrepancy for each choice of what is reference, bool [rows, choices]."""
    chosen = inside.astype(np.float64)
    sizes = chosen.sum(axis=0)
    others = len(kernel) - sizes
    weights = chosen / sizes - (1 - chosen) / others
    return np.asarray((weights * (kernel @ weights)).sum(axis=0))


def _distance(reference: Array, current: Array, random: np.random.Generator) -> float:
    from scipy.stats import wasserstein_distance

    (learnt, measured), (also_learnt, also_measured) = (_halves(rows, random) for rows in (reference, current))
    shift = also_learnt.mean(axis=0) - learnt.mean(axis=0)
    centred = np.concatenate([learnt - learnt.mean(axis=0), also_learnt - also_learnt.mean(axis=0)])
    spread = centred.T @ centred / len(centred)
    level = float(np.trace(spread)) / len(spread) or 1.0
    direction = np.linalg.solve((1 - SHRINKAGE) * spread + SHRINKAGE * level * np.eye(len(spread)), shift)
    before, now = measured @ direction, also_measured @ direction
    return float(wasserstein_distance(before, now) / (before.std() or 1.0))


def _halves(rows: Array, random: np.random.Generator) -> tuple[Array, Array]:
    order = random.permutation(len(rows))
    return rows[order[::2]], rows[order[1::2]]
