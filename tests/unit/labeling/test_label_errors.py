"""Labels that are likely wrong: by the paper's counts, and on labels that were made wrong."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from seaway.errors import DataUnreadable
from seaway.labeling.doubts import doubt_rows
from seaway.labeling.label_errors import label_errors
from seaway.models.signature import Signature, TensorSpec
from seaway.tasks import Target


def test_rows_are_counted_as_the_paper_counts_them() -> None:
    """Thresholds are 0.683 and 0.6: the third row is counted as the second class, the sixth as none."""
    likely = np.array([[0.9, 0.1], [0.8, 0.2], [0.35, 0.65], [0.2, 0.8], [0.0, 1.0], [0.6, 0.4], [0.8, 0.2]])
    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    found = label_errors(likely, labels)
    assert found.counts.tolist() == [[2, 1], [1, 2]]
    assert found.rows.tolist() == [6, 2] and found.likely.tolist() == [0, 1]
    assert found.doubt == pytest.approx([0.6, 0.3]) and found.share == pytest.approx(2 / 6)


def test_labels_that_were_made_wrong_are_found_among_others_that_are_right() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    digits = load_digits()
    rows, truth = digits.data[:600] / 16, digits.target[:600]
    generator = np.random.default_rng(0)
    wrong = generator.permutation(600)[:48]
    labels = truth.copy()
    labels[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    likely = cross_val_predict(LogisticRegression(C=0.1, max_iter=50), rows, labels, cv=3, method="predict_proba")
    found = label_errors(likely, labels)
    hits = len(set(found.rows.tolist()) & set(wrong.tolist()))
    assert hits / len(wrong) > 0.5 and hits / len(found.rows) > 0.6
    assert set(found.rows[:20].tolist()) <= set(wrong.tolist())
    assert 0.04 < found.share < 0.16


@pytest.mark.parametrize(
    ("likely", "labels", "told"),
    [
        (np.ones((2, 2)) / 2, np.array([0]), "do not fit"),
        (np.array([[0.5, np.nan], [0.5, 0.5]]), np.array([0, 1]), "missing or outside"),
        (np.ones((2, 2)) / 2, np.array([0, 0]), "labelled as class 1 of 2"),
    ],
)
def test_what_cannot_be_doubted_is_told(likely: np.ndarray, labels: np.ndarray, told: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(DataUnreadable, match=told):
        label_errors(likely, labels)


def test_the_doubted_rows_say_what_they_likely_are(tmp_path: Path) -> None:
    target = Target("binary", "bought", "probability")
    size, probability = TensorSpec("size", "FP32"), TensorSpec("probability", "FP32")
    Signature("shop", (size,), (probability,), {"size": [[1.0]]}, target).write(tmp_path)
    rows, predictions, doubted = (
        tmp_path / name for name in ("rows.parquet", "predictions.parquet", "doubted.parquet")
    )
    parquet.write_table(pa.table({"id": range(5), "bought": [False, False, True, True, True]}), rows)
    parquet.write_table(pa.table({"probability": [0.1, 0.95, 0.9, 0.8, 0.05]}), predictions)
    count, share = doubt_rows(rows, "bought", tmp_path, predictions, doubted)
    assert (count, share) == (2, pytest.approx(2 / 5))
    assert parquet.read_table(doubted).select(["id", "likely_label"]).to_pylist() == [
        {"id": 1, "likely_label": "1"}, {"id": 4, "likely_label": "0"},
    ]  # fmt: skip
    parquet.write_table(pa.table({"bought": ["maybe"] * 5}), rows)
    with pytest.raises(DataUnreadable, match="Labels maybe"):
        doubt_rows(rows, "bought", tmp_path, predictions, doubted)
