"""Rows of files whose labels are doubted."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from seaway.errors import DataUnreadable
from seaway.labeling import tables
from seaway.labeling.label_errors import label_errors
from seaway.labeling.pool import answers

LIKELY, DOUBT = "likely_label", "label_doubt"


def doubt_rows(rows: Path, label: str, model: Path, predictions: Path, target: Path) -> tuple[int, float]:
    """Write the rows whose label is likely wrong, the surest first; how many, and the share of wrong labels.

    Each has `likely_label` and `label_doubt`: by how much the model prefers that class.

    Args:
        rows: With labels, which the model was not trained on.
        label: Column of the class.
        model: Package or trained model that `predictions` are of.
        predictions: Answers to the rows, in their order.
        target: Parquet file.

    Raises:
        DataUnreadable: a column is missing, a label is no class of the model, a class has no row, or the predictions
            are not of these rows.
        InvalidSpec: the model predicts no classes.
    """
    table = tables.read(rows, None)
    tables.require(table, [label], str(rows))
    probabilities, classes = answers(model, predictions, table.num_rows)
    places = {name: place for place, name in enumerate(classes)}
    given = [str(int(one)) if isinstance(one, bool) else str(one) for one in table[label].to_pylist()]
    if strange := sorted(set(given) - places.keys()):
        raise DataUnreadable(
            f"Labels {', '.join(strange[:3])} of {rows} are none of the model's: {', '.join(classes)}."
        )
    found = label_errors(probabilities, np.array([places[one] for one in given], np.int64))
    likely = pa.array([classes[place] for place in found.likely], pa.string())
    doubted = (
        table.take(found.rows).append_column(LIKELY, likely).append_column(DOUBT, pa.array(found.doubt, pa.float64()))
    )
    tables.write(doubted, target)
    return doubted.num_rows, found.share
