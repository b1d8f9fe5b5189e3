"""What the report says about data is what is in the files, gaps included."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.errors import DataUnreadable
from seaway.reporting import Page
from seaway.reporting.data_section import Subject, data_blocks, feature_blocks, learning_blocks
from sklearn.metrics import roc_auc_score

SUBJECT = Subject("flights", "scheduled_departure", "status", "late")


def flights(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    times = [datetime(2013, month, 5, 12, tzinfo=UTC) for month in (1, 1, 3, 3)]
    rows = {"scheduled_departure": times, "late": [1, 0, 0, None], "status": ["arrived"] * 3 + ["cancelled"]}
    pd.DataFrame(rows).to_parquet(folder / "flights.parquet")
    return folder


def test_a_month_without_rows_is_named(tmp_path: Path) -> None:
    document = Page("t").section("Data", *data_blocks(flights(tmp_path), SUBJECT)).html()
    assert "No rows in 2013-02." in document
    assert "2 not late" in document
    assert "1 late" in document
    assert "1 cancelled" in document


def test_tables_of_no_subject_are_counted_and_no_more(tmp_path: Path) -> None:
    document = Page("t").section("Data", *data_blocks(flights(tmp_path), Subject())).html()
    assert "flights" in document
    assert "by month" not in document


def test_rows_without_a_label_column_are_shown_by_month_all_the_same(tmp_path: Path) -> None:
    document = Page("t").section("Data", *data_blocks(flights(tmp_path), replace(SUBJECT, label="", outcome=""))).html()
    assert "4 rows; months in UTC" in document


@pytest.mark.parametrize(
    ("label", "measure"),
    [([0.5 * row for row in range(60)], "rank correlation"), (["a", "b", "c"] * 20, "explained by classes")],
)
def test_the_feature_that_tells_most_of_a_number_or_of_classes_is_drawn_first(
    tmp_path: Path, label: list[object], measure: str
) -> None:
    signal = [float("abc".index(one)) if isinstance(one, str) else one for one in label]
    noise = [float((7 * row) % 60) for row in range(60)]
    rows = pd.DataFrame(
        {"label": label, "noise": noise, "signal": [one + row / 1000 for row, one in enumerate(signal)]}
    )
    rows.to_parquet(tmp_path / "train.parquet")
    inputs = [{"name": name, "datatype": "FP32", "unit": ""} for name in ("noise", "signal")]
    blocks = feature_blocks({}, tmp_path / "train.parquet", {"inputs": inputs}, "label")
    document = Page("t").section("Features", *blocks).html()
    assert document.index("<strong>signal") < document.index("<strong>noise")
    assert measure in document


def test_a_column_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="no_such_time"):
        data_blocks(flights(tmp_path), replace(SUBJECT, time="no_such_time"))


def test_a_quote_in_a_column_name_is_no_sql(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="cannot be shown"):
        data_blocks(flights(tmp_path), replace(SUBJECT, time='x") FROM range(3) --'))


def test_the_feature_that_separates_is_drawn_first_and_gaps_are_counted(tmp_path: Path) -> None:
    rows = pd.DataFrame({"late": [0, 1] * 50, "noise": [*range(100)], "signal": [0.0, 1.0] * 50, "empty": None})
    rows["signal"] += rows.index / 1000
    rows.loc[:24, "signal"] = None
    rows["empty"] = rows["empty"].astype("float32")
    rows.to_parquet(tmp_path / "train.parquet")
    inputs = [{"name": name, "datatype": "FP32", "unit": "min"} for name in ("noise", "signal", "empty")]
    blocks = feature_blocks({"view": 7}, tmp_path / "train.parquet", {"inputs": inputs}, "late")
    document = Page("t").section("Features", *blocks).html()
    assert document.index("<strong>signal") < document.index("<strong>noise")
    assert "missing in 25.0% of the rows" in document
    assert "100.0%" in document


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.booleans()), min_size=1, max_size=30))
def test_the_area_of_one_feature_is_that_of_scikit_learn(rows: list[tuple[int | None, bool]]) -> None:
    with TemporaryDirectory() as folder:
        frame = pd.DataFrame({"x": [value for value, _ in rows], "late": [int(late) for _, late in rows]})
        frame.astype({"x": "float32"}).to_parquet(Path(folder) / "train.parquet")
        inputs = [{"name": "x", "datatype": "FP32", "unit": "min"}]
        blocks = feature_blocks({}, Path(folder) / "train.parquet", {"inputs": inputs}, "late")
    known = frame.dropna()
    shown = blocks[-1].blocks[0].rows[0][-1]  # type: ignore[union-attr]
    both = known["late"].nunique() == 2
    assert shown == (f"{roc_auc_score(known['late'], known['x']):.3f}" if both else None)


def test_a_training_that_tells_no_validation_is_still_listed() -> None:
    document = Page("t").section("Training", *learning_blocks({"mine": [{"epoch": 1, "loss": 0.5}]})).html()
    assert "mine" in document
