"""How many more observations would decide what so many have not, if they went on as those did.

The logarithm of an e-value grows in proportion to what was observed, as long as what is observed stays the same.
"""

import math
from collections.abc import Sequence

from seaway.rollout.judge.verdict import Evidence, Finding

MANY = 10  # times as many as there were; beyond that the few that there were tell nothing of the rest


def wanted(evidence: Sequence[Evidence], false_promotion: float) -> str:
    """A sentence for each criterion that is undecided."""
    enough = math.log(1 / false_promotion)
    return " ".join(_sentence(item, enough) for item in evidence if item.finding is Finding.UNDECIDED)


def _sentence(item: Evidence, enough: float) -> str:
    seen = min(item.n)
    kind = "rows with a label" if item.criterion == "quality" else "requests of each arm"
    if item.log_e_safety * MANY < enough or not seen:
        return f"{item.criterion.capitalize()} wants more than {MANY} times the {seen:,} {kind} that there were."
    more = max(1, math.ceil(seen * (enough / item.log_e_safety - 1)))
    return f"{item.criterion.capitalize()} wants about {more:,} more {kind}, if they go on as the {seen:,} did."
