from typing import NamedTuple

from kfp import dsl
from seaway.kfp import component


@component
def decide_retraining(
    check: dsl.Input[dsl.Artifact],
    triggers: list = ["drift", "quality"],  # noqa: B006 - KFP takes the default from the source text
    least_rows: int = 1000,
    skewed: list = [],  # noqa: B006
) -> NamedTuple("Outputs", [("retrain", bool), ("reason", str)]):
    """Decide whether what a check found calls for a new model, and whether there is enough to learn from.

    Args:
        check: Made by `monitor_drift`.
        triggers: What calls for a retraining: drift, quality, or both.
        least_rows: Fewest rows with labels to learn from.
        skewed: Features that are served otherwise than trained, from `check_skew`; any of them stops a retraining.

    Returns:
        retrain: Whether to train anew.
        reason: Why, in a sentence.

    Raises:
        InvalidSpec: there is no such trigger.
    """
    from pathlib import Path

    from seaway.monitoring import RetrainingPolicy, decide, read_check

    decided = decide(read_check(Path(check.path)), RetrainingPolicy(triggers, least_rows), skewed)
    return (decided.wanted, decided.reason)
