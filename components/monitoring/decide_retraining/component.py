from kfp import dsl
from seaway.kfp import component


@component
def decide_retraining(
    check: dsl.Input[dsl.Artifact],
    reason: dsl.Output[dsl.Markdown],
    triggers: list = ["drift", "quality"],  # noqa: B006 - KFP takes the default from the source text
    least_rows: int = 1000,
    skewed: list = [],  # noqa: B006
) -> bool:
    """Decide whether what a check found calls for a new model, and whether there is enough to learn from.

    Args:
        check: Made by `monitor_drift`.
        reason: Why, in a sentence.
        triggers: What calls for a retraining: drift, quality, or both.
        least_rows: Fewest rows with labels to learn from.
        skewed: Features that are served otherwise than trained, from `check_skew`; any of them stops a retraining.

    Returns:
        Whether to train anew; the only output, since kfp.local's conditions know none by name.

    Raises:
        InvalidSpec: there is no such trigger.
    """
    from pathlib import Path

    from seaway.monitoring import RetrainingPolicy, decide, read_check
    from seaway.reporting import write_links

    decided = decide(read_check(Path(check.path)), RetrainingPolicy(triggers, least_rows), skewed)
    write_links(Path(reason.path), {}, decided.reason)
    reason.metadata["summary"] = decided.reason
    return decided.wanted
