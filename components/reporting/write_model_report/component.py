from kfp import dsl
from seaway.kfp import component


@component
def write_model_report(
    evaluation: dsl.Input[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    data: dsl.Input[dsl.Artifact] = None,
    study: dsl.Input[dsl.Artifact] = None,
):
    """Write one self-contained page about a model before its release, whatever its gate says.

    What a pipeline does not make is left out, and so is its section. The report of the whole run goes on with it.

    Args:
        evaluation: Made by `evaluate_model`: figures, gate, and how each model was trained.
        report: The page: no script, no network, light, dark and print; why the gate is closed stands first.
        data: Made by `describe_data`.
        study: Made by `tune_model`, where the model's params were tuned.

    Raises:
        DataUnreadable: an artifact is missing or broken; the message names it.
    """
    from pathlib import Path

    from seaway.data.origin import origins
    from seaway.platforms.runs import evidence
    from seaway.reporting import keep, write_model_report
    from seaway.reporting.model_report import ModelInputs

    folders = [Path(artifact.path) if artifact else None for artifact in (data, study)]
    inputs = ModelInputs(Path(evaluation.path), *folders, origins(evaluation.metadata))
    found = write_model_report(inputs, Path(report.path))
    keep(evidence(), "model", found)
    report.metadata["summary"] = found["summary"]
