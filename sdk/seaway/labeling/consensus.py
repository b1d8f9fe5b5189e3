"""What many annotators' labels say together: majority, Dawid and Skene (1979), MACE (Hovy et al., 2013)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seaway.errors import InvalidSpec
from seaway.labeling.votes import Floats, Votes

ROUNDS, SETTLED = 200, 1e-7  # of expectation and maximization: at most, and the change of a belief that ends them
SMOOTHING = 0.1  # labels that each annotator is thought to have given before any were seen, of each class for each

HEARSAY = 0.01  # weight of an item whose truth is not known beside one whose is, where EM begins


@dataclass(frozen=True)
class Consensus:
    """What is believed.

    Attributes:
        belief: Probability of each class, [items, classes].
        confusion: Probability of each answer given the truth, [annotators, truth, answer].
    """

    belief: Floats
    confusion: Floats


def majority(votes: Votes) -> Consensus:
    """Each item's share of votes; a tie stays one."""
    belief = votes.clamped(votes.counts / votes.counts.sum(axis=1, keepdims=True))
    return Consensus(belief, _confusion(votes, belief))


def dawid_skene(votes: Votes) -> Consensus:
    """Each annotator has a probability of each answer for each true class; both are found by EM from the majority.

    An annotator who mixes two classes up in one way is as good as one who never does.
    """
    belief = _start(votes)
    for _ in range(ROUNDS):
        confusion, prior = _confusion(votes, belief), _prior(belief)
        before, belief = belief, _believed(votes, np.log(prior), np.log(confusion)[votes.annotator, :, votes.value])
        if np.abs(belief - before).max() < SETTLED:
            break
    return Consensus(belief, _confusion(votes, belief))


def mace(votes: Votes) -> Consensus:
    """Each annotator knows the answer, or gives one of a habit of their own; how often, and which, is found by EM.

    Fewer parameters than Dawid and Skene's, so better for annotators with few labels or many classes; those who answer
    always the same, or at random, lose their weight.
    """
    annotators, classes = len(votes.annotators), len(votes.classes)
    belief = _start(votes)
    knows, habit = np.full(annotators, 0.5), np.full((annotators, classes), 1 / classes)
    for _ in range(ROUNDS):
        guessed = (1 - knows)[votes.annotator] * habit[votes.annotator, votes.value]  # [labels]
        known = knows[votes.annotator] / (knows[votes.annotator] + guessed)  # if the answer is right
        knew = belief[votes.item, votes.value] * known
        knows = (SMOOTHING + _sum(votes, knew)) / (2 * SMOOTHING + _sum(votes, np.ones_like(knew)))
        habit = np.full((annotators, classes), SMOOTHING)
        np.add.at(habit, (votes.annotator, votes.value), 1 - knew)
        habit /= habit.sum(axis=1, keepdims=True)
        likely = _of_habit(knows, habit)[votes.annotator, :, votes.value]
        before, belief = belief, _believed(votes, np.log(_prior(belief)), np.log(likely))
        if np.abs(belief - before).max() < SETTLED:
            break
    return Consensus(belief, _of_habit(knows, habit))


METHODS: dict[str, Callable[[Votes], Consensus]] = {"dawid_skene": dawid_skene, "mace": mace, "majority": majority}


def by(method: str) -> Callable[[Votes], Consensus]:
    """Raises: InvalidSpec: there is no such method."""
    if method not in METHODS:
        raise InvalidSpec(f"Labels are aggregated by one of {', '.join(METHODS)}, not {method!r}.")
    return METHODS[method]


def _start(votes: Votes) -> Floats:
    """Where EM begins: the majority; where truths are known, by how well each annotator knew those.

    A majority that lies would otherwise be a mode that EM does not leave.
    """
    belief = majority(votes).belief
    golden = votes.truth >= 0
    if not golden.any():
        return belief
    trusted = _confusion(votes, np.where(golden, 1.0, HEARSAY)[:, None] * belief)
    return _believed(votes, np.log(_prior(belief)), np.log(trusted)[votes.annotator, :, votes.value])


def _confusion(votes: Votes, belief: Floats) -> Floats:
    """[annotators, truth, answer]"""
    found = np.full((len(votes.annotators), len(votes.classes), len(votes.classes)), SMOOTHING)
    np.add.at(found.transpose(0, 2, 1), (votes.annotator, votes.value), belief[votes.item])
    shares: Floats = found / found.sum(axis=2, keepdims=True)
    return shares


def _prior(belief: Floats) -> Floats:
    counts = belief.sum(axis=0) + SMOOTHING
    prior: Floats = counts / counts.sum()
    return prior


def _believed(votes: Votes, log_prior: Floats, log_likelihood: Floats) -> Floats:
    """Beliefs after all labels; `log_likelihood` is that of each label for each true class, [labels, classes]."""
    total = np.tile(log_prior, (len(votes.keys), 1))
    np.add.at(total, votes.item, log_likelihood)
    likely = np.exp(total - total.max(axis=1, keepdims=True))
    return votes.clamped(likely / likely.sum(axis=1, keepdims=True))


def _of_habit(knows: Floats, habit: Floats) -> Floats:
    """[annotators, truth, answer]"""
    right: Floats = knows[:, None, None] * np.eye(habit.shape[1])
    return right + (1 - knows)[:, None, None] * habit[:, None, :]


def _sum(votes: Votes, of_label: Floats) -> Floats:
    """By annotator."""
    total = np.zeros(len(votes.annotators))
    np.add.at(total, votes.annotator, of_label)
    return total
