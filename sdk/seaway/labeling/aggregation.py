"""From labels to one class an item, with how sure that is, and how good each annotator is."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from seaway.errors import InvalidSpec
from seaway.labeling.agreement import alpha, shares
from seaway.labeling.consensus import Consensus, by
from seaway.labeling.items import Label
from seaway.labeling.votes import Votes, Whole

FEW = 10  # labels, below which nothing is said against an annotator
LIAR, SAME = "worse than chance", "always the same"


@dataclass(frozen=True)
class Decided:
    """An item's class: `confidence` is its probability, `agreement` the share of the `votes` that name it.

    `golden` says that its class was known before.
    """

    key: str
    label: str
    confidence: float
    votes: int
    agreement: float
    golden: bool


@dataclass(frozen=True)
class Annotator:
    """How good one is.

    Attributes:
        labels: How many were given.
        quality: Probability of the right class, over the classes as they occur.
        golden: How many items of a known class were labelled.
        golden_right: How many of those rightly.
        seconds: Median of a label; None where nothing was timed.
        cost: Of all labels.
        warning: What speaks against the labels; empty for nothing.
    """

    name: str
    labels: int
    quality: float
    golden: int
    golden_right: int
    seconds: float | None
    cost: float
    warning: str = ""


@dataclass(frozen=True)
class Aggregated:
    """All items and annotators; `alpha` is Krippendorff's, None where no two labels could have differed."""

    items: Sequence[Decided]
    annotators: Sequence[Annotator]
    alpha: float | None
    cost: float
    method: str

    @property
    def metrics(self) -> dict[str, float]:
        """Figures of the whole."""
        labels = sum(one.votes for one in self.items)
        found = {
            "items": float(len(self.items)),
            "labels": float(labels),
            "annotators": float(len(self.annotators)),
            "mean_confidence": float(np.mean([one.confidence for one in self.items])),
            "cost": self.cost,
            "cost_per_item": self.cost / len(self.items),
        }
        asked = sum(one.golden for one in self.annotators)
        golden = {"golden_accuracy": sum(one.golden_right for one in self.annotators) / asked} if asked else {}
        return found | golden | ({"alpha": self.alpha} if self.alpha is not None else {})

    @property
    def summary(self) -> str:
        """One line."""
        agree = "" if self.alpha is None else f", alpha {self.alpha:.2f}"
        return f"{len(self.items):,} items by {len(self.annotators)} annotators{agree}"

    def to_json(self) -> dict[str, Any]:
        """Without the items."""
        return {
            "method": self.method,
            "metrics": self.metrics,
            "alpha": self.alpha,
            "annotators": [asdict(one) for one in self.annotators],
        }


def aggregate(
    labels: Sequence[Label],
    classes: Sequence[str],
    method: str = "dawid_skene",
    golden: Mapping[str, str] | None = None,
    price: float = 0.0,
) -> Aggregated:
    """One class for each item that has a label.

    Args:
        labels: In the order in which they were given.
        classes: All that there are.
        method: `dawid_skene`, `mace` or `majority`.
        golden: Known classes by key; they stand, whatever was answered, and teach the annotators' quality.
        price: Of one label.

    Raises:
        DataUnreadable: there is no label, or one is none of the classes.
        InvalidSpec: there is no such method, or the price is negative.
    """
    if price < 0:
        raise InvalidSpec(f"A label cannot cost {price}; give a price of 0 or more.")
    found = by(method)
    votes = Votes.of(labels, classes, golden)
    consensus = found(votes)
    annotators = _annotators(votes, consensus, labels, price)
    return Aggregated(_items(votes, consensus), annotators, alpha(votes), price * len(votes.item), method)


def _items(votes: Votes, consensus: Consensus) -> list[Decided]:
    called: Whole = consensus.belief.argmax(axis=1)
    counts = votes.counts.sum(axis=1)
    agreed = shares(votes, called)
    return [
        Decided(
            key, votes.classes[call], float(consensus.belief[place, call]), int(counts[place]), agreed[place], known
        )
        for place, (key, call, known) in enumerate(zip(votes.keys, called, (votes.truth >= 0).tolist(), strict=True))
    ]


def _annotators(votes: Votes, consensus: Consensus, labels: Sequence[Label], price: float) -> list[Annotator]:
    seconds: dict[str, list[float]] = {}
    for one in labels:
        if one.seconds is not None:
            seconds.setdefault(one.annotator, []).append(one.seconds)
    return [
        _annotator(votes, consensus, place, seconds.get(name, []), price) for place, name in enumerate(votes.annotators)
    ]


def _annotator(votes: Votes, consensus: Consensus, place: int, seconds: Sequence[float], price: float) -> Annotator:
    own = votes.annotator == place
    values, truth = votes.value[own], votes.truth[votes.item[own]]
    prior = consensus.belief.mean(axis=0)
    quality = float(prior @ np.diag(consensus.confusion[place]))
    return Annotator(
        name=votes.annotators[place],
        labels=int(own.sum()),
        quality=quality,
        golden=int((truth >= 0).sum()),
        golden_right=int((truth == values).sum()),
        seconds=float(np.median(seconds)) if seconds else None,
        cost=price * int(own.sum()),
        warning=_warning(values, quality, float((prior**2).sum()), len(votes.classes)),
    )


def _warning(values: Whole, quality: float, chance: float, classes: int) -> str:
    """What speaks against so many labels: one class only, or fewer right ones than guessing by the classes' rates."""
    if len(values) < FEW:
        return ""
    if len(np.unique(values)) == 1 and classes > 1:
        return SAME
    return LIAR if quality < chance else ""
