"""What the judge says, and why."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Decision(StrEnum):
    """What to do with the candidate now."""

    PROMOTE = "PROMOTE"
    ROLLBACK = "ROLLBACK"
    CONTINUE = "CONTINUE"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNCHANGED = "UNCHANGED"  # said by the rollout, not by the judge: there is nothing to judge


class Finding(StrEnum):
    """What one criterion has shown so far."""

    HARMFUL = "HARMFUL"
    SAFE = "SAFE"
    UNDECIDED = "UNDECIDED"


class Hypothesis(StrEnum):
    """What evidence speaks for: that the candidate is worse than tolerated, or that it is within the margin."""

    HARM = "HARM"
    SAFETY = "SAFETY"

    @property
    def sign(self) -> int:
        """+1 where large candidate values speak for the hypothesis, -1 where small ones do."""
        return 1 if self is Hypothesis.HARM else -1


@dataclass(frozen=True)
class Evidence:
    """One criterion at one look.

    `estimate`, `lower` and `upper` are of the candidate's worsening, in the criterion's `unit`. The interval is a
    confidence sequence: it covers the truth at all looks together; a glance leaves it out. The logarithms are natural,
    of e-values after correction for dependence (`inflation` >= 1, a variance ratio); `n` are observations of the
    stable and candidate arm.
    """

    criterion: str
    finding: Finding
    estimate: float | None
    lower: float | None
    upper: float | None
    unit: str
    log_e_harm: float
    log_e_safety: float
    inflation: float
    n: tuple[int, int]
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The judge's decision, one paragraph of reason, and the evidence of each criterion.

    `lacking` is what a promotion needs beside safe criteria, such as requests, and was not seen yet.
    """

    decision: Decision
    reason: str
    evidence: tuple[Evidence, ...] = ()
    lacking: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "evidence": [{**asdict(item), "n": list(item.n)} for item in self.evidence]}
