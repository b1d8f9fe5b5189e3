"""Whether to train anew: what a check found, what there is to learn from, and what would be learned wrongly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.errors import DataUnreadable, InvalidSpec

TRIGGERS = ("drift", "quality")


@dataclass(frozen=True)
class RetrainingPolicy:
    """What calls for a retraining, and the fewest labelled rows to learn from.

    Raises:
        InvalidSpec: an unknown trigger, none, or no row.
    """

    triggers: Sequence[str] = TRIGGERS
    least_rows: int = 1000

    def __post_init__(self) -> None:
        if not self.triggers or set(self.triggers) - set(TRIGGERS) or self.least_rows < 1:
            raise InvalidSpec(
                f"Retraining by {list(self.triggers)} from {self.least_rows} rows: triggers are {', '.join(TRIGGERS)}, "
                "at least one, and at least one row."
            )


@dataclass(frozen=True)
class Retraining:
    """The decision, and why in a sentence."""

    wanted: bool
    reason: str


def decide(check: Mapping[str, Any], policy: RetrainingPolicy, skewed: Sequence[str] = ()) -> Retraining:
    """Whether a check calls for a retraining.

    Args:
        check: As `seaway.monitoring.model_check.read_check` gives it.
        policy: What calls for one.
        skewed: Features that are served otherwise than trained: a new model would be served wrongly, too.

    Raises:
        DataUnreadable: the check lacks a part.
    """
    try:
        found = {"drift": bool(check["drift"]["alarm"]), "quality": bool(check["quality"]["worse"])}
        labelled, summary = int(check["quality"]["labelled"]), str(check["summary"])
    except (KeyError, TypeError) as error:
        raise DataUnreadable(f"This is no check of a model: {error!r} is missing; run monitor_drift anew.") from error
    fired = [trigger for trigger in policy.triggers if found[trigger]]
    if not fired:
        return Retraining(False, f"no retraining: {summary}")
    if skewed:
        return Retraining(False, f"no retraining before {', '.join(skewed)} are served as trained: {summary}")
    if labelled < policy.least_rows:
        return Retraining(False, f"{labelled} labelled rows are fewer than {policy.least_rows}: {summary}")
    return Retraining(True, f"retraining by {' and '.join(fired)}: {summary}")
