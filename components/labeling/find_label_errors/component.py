from kfp import dsl
from seaway.kfp import component


@component
def find_label_errors(
    rows: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    predictions: dsl.Input[dsl.Dataset],
    doubted: dsl.Output[dsl.Dataset],
    label: str,
) -> float:
    """Find rows whose label is likely wrong: a model that was not trained on them is sure of another class.

    Args:
        rows: Rows with labels: held-out ones, or a fold of a cross-validation.
        model: Package or trained model that `predictions` are of.
        predictions: Made by `predict_batch` of the rows.
        doubted: The doubted rows, the surest first, with `likely_label` and `label_doubt`; for `send_to_label`.
        label: Column of the class.

    Returns:
        The share of labels that are likely wrong.

    Raises:
        DataUnreadable: a column is missing, a label is no class of the model, a class has no row, or the predictions
            are not of these rows.
        InvalidSpec: the model predicts no classes.
    """
    from pathlib import Path

    from seaway.labeling.doubts import doubt_rows

    paths = (Path(model.path), Path(predictions.path), Path(doubted.path))
    count, share = doubt_rows(Path(rows.path), label, *paths)
    doubted.metadata["summary"] = f"{count:,} labels are doubted, {share:.1%}"
    return share
