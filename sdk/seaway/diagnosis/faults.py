"""What can be wrong with a training: names, what to do, and which fault explains which."""

from collections.abc import Iterable
from dataclasses import dataclass

# In the order in which they are told. What is to be done is the same whatever was seen.
CURES = {
    "no numbers": "Leave out or fill in what is missing or infinite before the network sees it.",
    "rows in both splits": "Split anew, each row and each group of rows on one side only; look at slices' bounds.",
    "leaking feature": "Leave it out unless it is known when a prediction is asked for, and made without the label.",
    "labels one row off": "Join labels to rows by a key, not by their place.",
    "labels do not belong to the rows": "See how labels came to rows: a sort, a shuffle or a join of one without the "
    "other, or a wrong column. If the rows can tell nothing of the label, no network helps.",
    "validation is of another kind": "Give both splits the same columns, units and codes of the classes.",
    "wrong labels": "Look at the rows named first on the page (`find_label_errors`), and mend or drop them.",
    "rows are not shuffled": "Shuffle the rows anew in each epoch (`DataLoader(shuffle=True)`).",
    "unscaled input": "Subtract the mean and divide by the deviation of the training rows, inside the model.",
    "wrong loss": "Give the loss what it asks for: logits to cross_entropy and binary_cross_entropy_with_logits, log "
    "probabilities to nll_loss, outputs of the labels' own shape to mse_loss.",
    "dead units": "Begin with smaller weights and biases at zero, a lower rate, or a leaky activation.",
    "frozen layer": "Give its parameters to the optimizer with requires_grad, or leave it out of the list on purpose.",
    "the first step fails": "Mend what the message says: shapes of inputs and labels, classes that begin at 0, types.",
    "not a number inside": "Mend the operator that is named: a logarithm or root of zero, a division by a deviation.",
    "learning rate too high": "Take the rate that the range test suggests.",
    "learning rate too low": "Take the rate that the range test suggests.",
    "one batch cannot be learnt": "The network is too small, or something between inputs and loss forgets the row.",
    "slow loader": "Load in more processes (`num_workers`), decode once and keep the result, or read larger parts.",
}

# What follows from a fault is not told beside it.
EXPLAINS = {
    "no numbers": set(CURES) - {"no numbers", "rows in both splits", "leaking feature"},
    "the first step fails": {"wrong loss"},
    "labels one row off": {"labels do not belong to the rows", "wrong labels", "validation is of another kind"},
    "labels do not belong to the rows": {
        "wrong labels", "validation is of another kind", "learning rate too high", "learning rate too low",
    },
    "leaking feature": {"validation is of another kind"},
    "unscaled input": {
        "learning rate too high", "learning rate too low", "dead units", "one batch cannot be learnt",
        "not a number inside", "frozen layer",
    },
    "wrong loss": {"one batch cannot be learnt", "learning rate too high", "learning rate too low"},
    "dead units": {"frozen layer", "one batch cannot be learnt", "learning rate too high", "learning rate too low"},
    "frozen layer": {"one batch cannot be learnt", "learning rate too low"},
    "not a number inside": {
        "learning rate too high", "learning rate too low", "one batch cannot be learnt", "frozen layer", "dead units",
    },
    "learning rate too high": {"learning rate too low"},
    "learning rate too low": {"one batch cannot be learnt"},
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One of `CURES`, with what was seen of it."""

    name: str
    seen: str

    @property
    def cure(self) -> str:
        return CURES[self.name]


def likeliest(faults: Iterable[Fault]) -> list[Fault]:
    """Those that no other one explains, causes in the data before those in the network."""
    found = list(faults)
    explained = set[str]().union(*(EXPLAINS.get(fault.name, set()) for fault in found))
    order = list(CURES)
    return sorted((one for one in found if one.name not in explained), key=lambda one: order.index(one.name))
