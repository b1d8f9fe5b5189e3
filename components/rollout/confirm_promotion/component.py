from kfp import dsl
from seaway.kfp import component


@component
def confirm_promotion(
    decision: str,
    rollout: dsl.Input[dsl.Artifact],
    receipt: dsl.Output[dsl.Artifact],
):
    """Fail the run if the candidate was not promoted: a rollback is not a success.

    A candidate that is the model in production already passes.

    Args:
        decision: What `roll_out` decided.
        rollout: `rollout.json` of `roll_out`.
        receipt: The decision, in its metadata.

    Raises:
        RolledBack: the stable model stayed in charge; the message has the judge's reason.
    """
    from pathlib import Path

    from seaway.rollout import confirm
    from seaway.storage import write_json

    confirm(Path(rollout.path) / "rollout.json")
    write_json(Path(receipt.path), {"decision": decision})
    receipt.metadata["summary"] = decision.lower()
