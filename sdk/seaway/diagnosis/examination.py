"""All checks of a training, and what comes of them."""

import math
from dataclasses import dataclass
from typing import Any

import torch

from seaway.diagnosis import first_step, inputs, labels, layers, learning, objective, order, splits
from seaway.diagnosis.faults import Fault, likeliest
from seaway.diagnosis.layers import Layer
from seaway.diagnosis.learning import Figures
from seaway.diagnosis.probe import Probe
from seaway.diagnosis.sample import Kind, Sample, sample
from seaway.diagnosis.subject import Subject
from seaway.errors import TrainingUnsound


@dataclass(frozen=True)
class Diagnosis:
    """What was found, the likeliest first, and what was measured on the way."""

    faults: list[Fault]
    figures: Figures
    layers: list[Layer]
    rows: int
    validation_rows: int
    expected: float  # loss of a network that knows nothing yet; NaN where nobody can say

    @property
    def summary(self) -> str:
        if not self.faults:
            return "nothing found"
        more = len(self.faults) - 1
        return self.faults[0].name + (f", and {more} more" if more else "")

    def to_json(self) -> dict[str, Any]:
        """What a program reads."""
        measured = {"first_loss": self.figures.first, "expected_first_loss": self.expected,
                    "rate": self.figures.used, "suggested_rate": self.figures.suggested,
                    "loading_share": self.figures.loading}  # fmt: skip
        return {
            "faults": [{"name": one.name, "seen": one.seen, "cure": one.cure} for one in self.faults],
            "figures": {name: value if math.isfinite(value) else None for name, value in measured.items()},
            "rows": self.rows,
            "validation_rows": self.validation_rows,
        }


def diagnose(subject: Subject, seed: int = 0) -> Diagnosis:
    """Put a training to the checks; takes about a minute of small experiments and changes nothing of it.

    Args:
        subject: The training in its first state.
        seed: Of what is drawn by chance inside the network, such as dropout.

    Raises:
        DataUnreadable: a split is empty, or its batches do not fit together.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        taken = sample(subject)
        figures, moved = Figures(), list[Layer]()
        found = list(inputs.check(taken))
        if _sound(found):
            probe = Probe.of(taken.rows, taken.kind)
            found += [*splits.check(taken, probe), *labels.check(subject, taken, probe), *order.check(taken)]
            found += first_step.check(subject, taken)
        if _sound(found):
            moved = layers.layers(subject)
            found += [*inputs.scale(subject, taken), *objective.check(subject, taken)]
            found += [*layers.check(subject, taken, moved), *learning.check(subject, taken, figures)]
    return Diagnosis(likeliest(found), figures, moved, len(taken.rows), len(taken.validation), _expected(taken))


def _sound(found: list[Fault]) -> bool:
    """Whether rows hold numbers, and a step can be made of them, which all that follows needs."""
    return not {"no numbers", "the first step fails"} & {fault.name for fault in found}


def _expected(taken: Sample) -> float:
    """ln K, the cross-entropy of a network that gives each of K classes the same."""
    return math.nan if taken.kind is Kind.NUMBERS else math.log(taken.classes)


def require_sound(diagnosis: Diagnosis) -> None:
    """Raises: TrainingUnsound: a fault was found."""
    if diagnosis.faults:
        first, more = diagnosis.faults[0], len(diagnosis.faults) - 1
        raise TrainingUnsound(
            f"{first.name}: {first.seen} {first.cure}" + (f" {more} more faults are on the page." if more else "")
        )
