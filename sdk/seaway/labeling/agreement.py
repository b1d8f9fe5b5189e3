"""Krippendorff's alpha for classes: how much more annotators agree than chance has it."""

import numpy as np

from seaway.labeling.votes import Votes

PAIR = 2  # labels that can agree


def alpha(votes: Votes) -> float | None:
    """1: they always agree; 0: as by chance; below: less than that. None where no two labels could have differed.

    No two could where no item has two labels, or where all labels name one class.
    """
    counts = votes.counts
    counts = counts[counts.sum(axis=1) >= PAIR]
    each = counts.sum(axis=1)
    of_class, total = counts.sum(axis=0), counts.sum()
    expected = total**2 - (of_class**2).sum()
    if not expected:
        return None
    observed = ((each**2 - (counts**2).sum(axis=1)) / (each - 1)).sum()
    return float(1 - (total - 1) * observed / expected)


def shares(votes: Votes, called: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> list[float]:
    """The share of each item's labels that name the class that it was called at last."""
    counts = votes.counts
    own = counts[np.arange(len(counts)), called] / counts.sum(axis=1)
    return [float(share) for share in own]
