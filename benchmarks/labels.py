"""How many labels a model needs, by how the rows that get one are chosen, on scikit-learn's digits.

A logistic regression is trained on a few rows at random; then each round adds the rows that a strategy chooses, with
their true labels. Goal: the accuracy that random rows reach with `BUDGET` labels, with a third of them.
"""

import statistics
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from seaway.labeling.choice import Pool, choose

from benchmarks import Row, main

FIRST, ROUND, BUDGET = 20, 20, 300
SEEDS = range(5)
STRATEGIES = ("margin", "entropy", "badge", "core_set")
WHOLE = 3  # of labels at random for one that is chosen
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """Rows to choose from, and rows to measure on."""

    pool: Floats
    labels: npt.NDArray[np.int64]
    test: Floats
    truth: npt.NDArray[np.int64]


def measure() -> list[Row]:
    """Labels that each strategy needs for the accuracy of random ones, the median of the seeds."""
    found = {name: [_needed(_digits(seed), name, seed) for seed in SEEDS] for name in STRATEGIES}
    return [
        Row(
            f"digits: labels for the accuracy of {BUDGET} random ones, by {name}",
            statistics.median(needed),
            float(BUDGET),
            "labels",
            f"<= {1 / WHOLE:.2f}x",
            "lower",
            f"{min(needed)} to {max(needed)} over {len(needed)} seeds",
        )
        for name, needed in found.items()
    ]


def _digits(seed: int) -> Data:
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    rows, labels = found.data[order] / 16, found.target[order].astype(np.int64)
    return Data(rows[:1200], labels[:1200], rows[1200:], labels[1200:])


def _needed(data: Data, strategy: str, seed: int) -> int:
    """Labels that the strategy needs; those of the whole budget where it never gets there."""
    wanted = _curve(data, "random", seed)[-1]
    curve = _curve(data, strategy, seed)
    reached = next((place for place, accuracy in enumerate(curve) if accuracy >= wanted), len(curve) - 1)
    return FIRST + ROUND * reached


def _curve(data: Data, strategy: str, seed: int) -> list[float]:
    """Accuracy after each round."""
    from sklearn.linear_model import LogisticRegression

    has = np.zeros(len(data.pool), bool)
    has[np.random.default_rng(seed).permutation(len(data.pool))[:FIRST]] = True
    accuracies = []
    while True:
        model = LogisticRegression(C=10, max_iter=300).fit(data.pool[has], data.labels[has])
        accuracies.append(float((model.predict(data.test) == data.truth).mean()))
        if has.sum() >= BUDGET:
            return accuracies
        left = np.flatnonzero(~has)
        asked = Pool(len(left), model.predict_proba(data.pool[left]), data.pool[left], data.pool[has])
        chosen, at_random = choose(asked, ROUND, strategy, 0.0, seed + int(has.sum()))
        has[left[np.concatenate([chosen, at_random])]] = True


if __name__ == "__main__":
    main(measure)
