from kfp import dsl
from seaway.kfp import component


@component
def aggregate_labels(
    labels: dsl.Input[dsl.Dataset],
    sent: dsl.Input[dsl.Artifact],
    aggregated: dsl.Output[dsl.Dataset],
    annotators: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    method: str = "dawid_skene",
    price: float = 0.0,
):
    """Make one label an item of several annotators' labels, and say how sure it is and how good each annotator is.

    Args:
        labels: Made by `collect_labels`.
        sent: Made by `send_to_label`; has the classes, and the golden items' truth.
        aggregated: One Parquet file, a row an item: `key`, `label`, `confidence`, `votes`, `agreement`, `golden`.
        annotators: `annotators.json`: figures, and each annotator's quality, golden items, seconds, cost, warning.
        metrics: Items, labels, annotators, confidence, Krippendorff's alpha, accuracy on golden items, cost.
        report: The page of the labels.
        method: `dawid_skene` (what each annotator mixes up), `mace` (who guesses; for few labels) or `majority`.
        price: Of one label.

    Raises:
        DataUnreadable: there is no label, or one is none of the classes.
        InvalidSpec: there is no such method, or the price is negative.
    """
    from pathlib import Path

    from seaway.labeling.page import write_page
    from seaway.labeling.results import aggregate_file
    from seaway.storage import write_json

    found = aggregate_file(Path(labels.path), Path(sent.path), Path(aggregated.path), method, price)
    write_json(Path(annotators.path) / "annotators.json", found.to_json())
    write_page(found, Path(report.path))
    for name, value in found.metrics.items():
        metrics.log_metric(name, value)
    aggregated.metadata["summary"] = found.summary
