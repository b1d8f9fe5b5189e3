from kfp import dsl
from seaway.kfp import component


@component
def write_model_report(
    train: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    kept: dsl.Output[dsl.Artifact],
    table: str = "",
    time: str = "",
    outcome: str = "",
    label: str = "",
    tables: dsl.Input[dsl.Dataset] = None,
    validation: dsl.Input[dsl.HTML] = None,
    repository: dsl.Input[dsl.Artifact] = None,
    baseline: dsl.Input[dsl.Model] = None,
    study: dsl.Input[dsl.Artifact] = None,
):
    """Write one self-contained page about a model before its release, whatever its gate says.

    What a pipeline does not make is left out, and so is its section.

    Args:
        train: Training rows, made by `get_training_examples`.
        model: Exported model, with its training history.
        evaluation: Made by `evaluate_model`.
        report: The page: no script, no network, light, dark and print; why the gate is closed stands first.
        kept: The page for `write_report`, which goes on with it.
        table: Table that the examples come from.
        time: Its column of time, for the rows by month; empty shows none.
        outcome: Its column that says why a row has no label.
        label: Its column of a label of 0 and 1, which the rows by month are told apart by.
        tables: Made by `ingest_tables`.
        validation: Made by `validate_tables`; its summary is shown.
        repository: Made by `build_features`.
        baseline: Exported simpler model, with its training history.
        study: Made by `tune_model`, where the model's params were tuned.

    Raises:
        DataUnreadable: an artifact or a column is missing; the message names it.
    """
    from pathlib import Path

    from seaway.reporting import write_model_report
    from seaway.reporting.model_report import ModelInputs, Subject

    artifacts = {
        "tables": tables, "repository": repository, "train": train, "baseline": baseline, "model": model,
        "evaluation": evaluation, "study": study,
    }  # fmt: skip
    paths = {name: Path(artifact.path) for name, artifact in artifacts.items() if artifact}
    summary = validation.metadata.get("summary", "") if validation else ""
    inputs = ModelInputs(**paths, validation=summary, subject=Subject(table, time, outcome, label))
    report.metadata["summary"] = write_model_report(inputs, Path(report.path), Path(kept.path))
