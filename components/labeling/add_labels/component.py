from kfp import dsl
from seaway.kfp import component


@component
def add_labels(
    rows: dsl.Input[dsl.Dataset],
    labels: dsl.Input[dsl.Dataset],
    examples: dsl.Input[dsl.Dataset],
    train: dsl.Output[dsl.Dataset],
    audit: dsl.Output[dsl.Dataset],
    key: str,
    label: str,
    least_confidence: float = 0.0,
):
    """Add the rows that people have labelled to training examples.

    Args:
        rows: Made by `choose_to_label`, with each column of the examples.
        labels: Made by `aggregate_labels`.
        examples: Training rows so far.
        train: These and the new ones, one Parquet file, with `label_confidence`.
        audit: Labelled rows that were chosen at random, which no model learns from: a fair sample of the pool.
        key: Column of `rows` by which a row is known.
        label: Column of the class.
        least_confidence: Below it a label is not taken.

    Raises:
        DataUnreadable: a column is missing or of another type, or no label is sure enough.
    """
    from pathlib import Path

    from seaway.data.origin import carry
    from seaway.labeling.results import add_labels as add

    inputs = (Path(rows.path), Path(labels.path), Path(examples.path))
    carry([examples.metadata, rows.metadata], [train.metadata])
    train.metadata["summary"] = add(*inputs, key, label, least_confidence, Path(train.path), Path(audit.path))
