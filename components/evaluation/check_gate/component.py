from kfp import dsl
from seaway.kfp import component


@component
def check_gate(evaluation: dsl.Input[dsl.Artifact]) -> str:
    """Fail the run where the evaluated model misses a rule of its gate.

    Args:
        evaluation: Made by `evaluate_model`.

    Returns:
        How many rules are met.

    Raises:
        GateClosed: names each rule that is not met, with its value and its bound.
        DataUnreadable: the folder holds no evaluation.
    """
    from pathlib import Path

    from seaway.evaluation import require_open

    return f"{len(require_open(Path(evaluation.path)))} rules met"
