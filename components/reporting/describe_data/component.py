from kfp import dsl
from seaway.kfp import component


@component
def describe_data(
    train: dsl.Input[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
    data: dsl.Output[dsl.Artifact],
    label: str,
    positive: str = "",
    units: dict = {},  # noqa: B006 - KFP takes the default from the source text
    table: str = "",
    time: str = "",
    outcome: str = "",
    tables: dsl.Input[dsl.Dataset] = None,
    validation: dsl.Input[dsl.HTML] = None,
    repository: dsl.Input[dsl.Artifact] = None,
):
    """Show a pipeline's data on one page: raw rows by month, and what each input tells of the label.

    What a pipeline does not make is left out, and so is its section. The reports of the model and of the run go on
    with it.

    Args:
        train: Training rows, made by `get_training_examples` or `split_table`.
        report: The page: no script, no network, light, dark and print.
        data: What the later pages take over, for `write_model_report`.
        label: Column of `train` with the truth.
        positive: The value of the label that counts, where it is one of two names; empty takes the last in order.
        units: The columns that a model reads, each with its unit; empty takes all but the label and times.
        table: Table that the examples come from.
        time: Its column of time, for the rows by month; empty shows none.
        outcome: Its column that says why a row has no label.
        tables: Made by `ingest_tables`.
        validation: Made by `validate_tables`; its summary is shown.
        repository: Made by `build_features`.

    Raises:
        DataUnreadable: an artifact or a column is missing; the message names it.
    """
    from pathlib import Path

    from seaway.platforms.runs import evidence
    from seaway.reporting import describe_data, keep
    from seaway.reporting.data_report import DataInputs
    from seaway.reporting.data_section import Subject

    summary = validation.metadata.get("summary", "") if validation else ""
    raw, views = (Path(artifact.path) if artifact else None for artifact in (tables, repository))
    subject = Subject(table, time, outcome, label)
    inputs = DataInputs(Path(train.path), label, positive, units, raw, summary, views, subject)
    found = describe_data(inputs, Path(report.path), Path(data.path))
    keep(evidence(), "data", found)
    report.metadata["summary"] = found["summary"]
