"""Labels as arrays: who called which item what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seaway.errors import DataUnreadable
from seaway.labeling.items import Label, latest

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Votes:
    """One entry a label: `item`, `annotator` and `value` are places in `keys`, `annotators` and `classes`, [labels].

    `truth` is the place of the known class of each item, -1 where it is not known, [items].
    """

    keys: Sequence[str]
    annotators: Sequence[str]
    classes: Sequence[str]
    item: Whole
    annotator: Whole
    value: Whole
    truth: Whole

    @classmethod
    def of(cls, labels: Sequence[Label], classes: Sequence[str], golden: Mapping[str, str] | None = None) -> "Votes":
        """The labels, the latest of each item and annotator; `golden` are known classes by key.

        Raises:
            DataUnreadable: there is no label, or one is none of the classes.
        """
        used = latest(labels)
        if not used:
            raise DataUnreadable("There is no label to aggregate; have the queue's items labelled first.")
        keys = list(dict.fromkeys(label.key for label in used))
        annotators = sorted({label.annotator for label in used})
        known = golden or {}
        given = [*((one.value, f"of {one.annotator} for item {one.key}") for one in used),
                 *((known[key], f"known for item {key}") for key in keys if key in known)]  # fmt: skip
        if wrong := next(((value, whose) for value, whose in given if value not in classes), None):
            raise DataUnreadable(f"The label {wrong[0]!r} {wrong[1]} is none of {', '.join(classes)}; mend it there.")
        places = {name: place for place, name in enumerate(classes)}
        of_key = {key: place for place, key in enumerate(keys)}
        of_annotator = {name: place for place, name in enumerate(annotators)}
        return cls(
            keys,
            annotators,
            tuple(classes),
            np.array([of_key[one.key] for one in used], np.int64),
            np.array([of_annotator[one.annotator] for one in used], np.int64),
            np.array([places[one.value] for one in used], np.int64),
            np.array([places[known[key]] if key in known else -1 for key in keys], np.int64),
        )

    @property
    def counts(self) -> Floats:
        """How often each item was called what, [items, classes]."""
        found = np.zeros((len(self.keys), len(self.classes)))
        np.add.at(found, (self.item, self.value), 1)
        return found

    def clamped(self, belief: Floats) -> Floats:
        """Beliefs, [items, classes], with certainty where the truth is known."""
        fixed = belief.copy()
        known = self.truth >= 0
        fixed[known] = np.eye(len(self.classes))[self.truth[known]]
        return fixed
