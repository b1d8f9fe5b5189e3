from kfp import dsl
from seaway.kfp import component


@component
def check_gate(evaluation: dsl.Input[dsl.Artifact], page: dsl.Output[dsl.HTML], stop: bool = True) -> str:
    """Show which rules of its gate the evaluated model meets, and fail the run where it misses one.

    Kubeflow Pipelines keeps no page of a step that fails. So a pipeline that wants it, and a report besides, checks
    first without `stop`, and with it once these are written.

    Args:
        evaluation: Made by `evaluate_model`.
        page: Each rule with what was found and wanted, those that are not met first.
        stop: Whether a rule that is not met fails this step, and so the run.

    Returns:
        How many rules are met.

    Raises:
        GateClosed: names each rule that is not met, with its value and its bound.
        DataUnreadable: the folder holds no evaluation.
    """
    from pathlib import Path

    from seaway.evaluation import read_outcomes, require_open, write_page

    outcomes = read_outcomes(Path(evaluation.path))
    summary = write_page(outcomes, Path(page.path))
    page.metadata["summary"] = summary
    if stop:
        require_open(outcomes)
    return summary
