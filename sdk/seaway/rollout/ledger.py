"""The false promotions of all releases of a year together, not only of each one.

A promotion is a discovery: "this candidate is within every margin". The ledger bounds the expected share of false ones
among the promotions of a year (the false discovery rate), by e-SAFFRON (Zhang, Wei, Ren and Zou 2025, "e-GAI:
e-value-based generalized alpha-investing for online false discovery rate control", arXiv 2506.01452). It needs that a
release's e-value has an expectation of at most one whatever the releases before it were like, and no independence.

A release is judged at a level that what came before leaves: a part of what is not spent yet, for each of the
promotions before it and its own. It costs nothing if its own evidence says that it is safe; else what its level would
have let through. The part is one half at first and 1 / (n + 2) after n that have cost something. So an endpoint whose
releases are good keeps the full level, and one whose releases fail again and again gets stricter with each.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from seaway.rollout.policy import Policy

EVIDENT = 0.1  # chance of evidence, in a release that is not safe, that makes it cost nothing
KEPT = 50  # releases that are known by name, so that one that is told again is not counted twice


@dataclass(frozen=True)
class Ledger:
    """One year's releases of an endpoint (UTC): how many ended, were promoted, and have cost something, and how much.

    `keys` names the latest.
    """

    year: int
    releases: int = 0
    promoted: int = 0
    unproved: int = 0
    spent: float = 0.0
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None, time: float) -> "Ledger":
        """What was kept, or a new one where that is of a year before that of `time` (seconds since 1970)."""
        if not kept or kept["year"] < year_of(time):
            return cls(year_of(time))
        return cls(**{**kept, "keys": tuple(kept["keys"])})

    def level(self, policy: Policy) -> float:
        """The chance with which the next release may be promoted though it is outside some margin."""
        left = max(policy.false_discovery - self.spent, 0.0)
        return min(policy.false_promotion, left / (self.unproved + 2) * (1 - EVIDENT) * (self.promoted + 1))

    def ended(self, key: str, begun: float, level: float, log_e: float, promoted: bool) -> "Ledger":
        """With one release more, if it began in this year.

        Args:
            key: its name.
            begun: seconds since 1970.
            level: what it was judged at.
            log_e: the largest natural logarithm that its evidence for safety had, of the criterion that had the least.
        """
        if key in self.keys or year_of(begun) != self.year:
            return self
        unproved = log_e < math.log(1 / EVIDENT)
        return replace(
            self,
            releases=self.releases + 1,
            promoted=self.promoted + promoted,
            unproved=self.unproved + unproved,
            spent=self.spent + unproved * level / (self.promoted + 1) / (1 - EVIDENT),
            keys=(*self.keys, key)[-KEPT:],
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "keys": list(self.keys)}


def year_of(time: float) -> int:
    """UTC."""
    return datetime.fromtimestamp(time, UTC).year
