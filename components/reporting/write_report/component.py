from kfp import dsl
from seaway.kfp import component


@component
def write_report(
    tables: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.HTML],
    repository: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    baseline: dsl.Input[dsl.Model],
    model: dsl.Input[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact],
    package: dsl.Input[dsl.Model],
    endpoint: dsl.Input[dsl.Artifact],
    rollout: dsl.Input[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    table: str = "flights",
    time: str = "scheduled_departure",
    outcome: str = "status",
    label: str = "late",
    study: dsl.Input[dsl.Artifact] = None,
):
    """Write one self-contained page about a whole run, whatever its rollout ended with.

    Args:
        tables: Made by `ingest_tables`.
        validation: Made by `validate_tables`; its summary is shown.
        repository: Made by `build_features`.
        train: Training rows, made by `get_training_examples`.
        baseline: Exported simpler model, with its training history.
        model: Exported model, with its training history.
        evaluation: Made by `evaluate_model`.
        package: Made by `package_model` from `model`.
        endpoint: Made by `deploy_endpoint`.
        rollout: Made by `roll_out`.
        report: The page: no script, no network, light, dark and print.
        table: Table that the examples come from.
        time: Its column of time, for the rows by month.
        outcome: Its column that says why a row has no label.
        study: Made by `tune_model`, where the model's params were tuned.
        label: Its column of the label, 0, 1 or null; also the training rows' one.

    Raises:
        DataUnreadable: an artifact or a column is missing; the message names it.
    """
    from pathlib import Path

    from seaway.reporting import write_report
    from seaway.reporting.run_report import ReportInputs, Subject

    artifacts = {
        "tables": tables, "repository": repository, "train": train, "baseline": baseline, "model": model,
        "evaluation": evaluation, "package": package, "endpoint": endpoint, "rollout": rollout,
    }  # fmt: skip
    paths = {name: Path(artifact.path) for name, artifact in artifacts.items()}
    subject = Subject(table, time, outcome, label)
    tuned = Path(study.path) if study else None
    inputs = ReportInputs(**paths, study=tuned, validation=validation.metadata.get("summary", ""), subject=subject)
    report.metadata["summary"] = write_report(inputs, Path(report.path))
