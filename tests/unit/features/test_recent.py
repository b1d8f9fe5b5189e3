"""Recent rows are watched as they are: with a label, without one, and in a file that has no column of it."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features import PlainSpec, RecentExamples, recent_rows

SPEC = PlainSpec("y", "", ["x"], ["c"], ["id"])
TIMED = PlainSpec("y", "", ["x"], ["c"], ["id"], time="at")


def rows(count: int) -> pd.DataFrame:
    at = pd.date_range("2024-01-01", periods=count, freq="D", tz="UTC")
    return pd.DataFrame({"id": range(count), "at": at, "x": 1, "c": "a", "y": "yes"})


def recent(
    folder: Path, table: pd.DataFrame, spec: PlainSpec = SPEC, since: str = ""
) -> tuple[RecentExamples, pd.DataFrame]:
    table.to_parquet(folder / "rows.parquet")
    found = recent_rows(folder / "rows.parquet", spec, folder / "recent.parquet", since)
    return found, pd.read_parquet(folder / "recent.parquet")


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 60), unlabelled=st.integers(0, 60), timed=st.booleans())
def test_every_row_is_kept_in_its_place_whether_it_has_a_label_or_not(
    tmp_path_factory: pytest.TempPathFactory, count: int, unlabelled: int, timed: bool
) -> None:
    table = rows(count)
    table.loc[: unlabelled - 1, "y"] = None
    found, kept = recent(tmp_path_factory.mktemp("recent"), table, TIMED if timed else SPEC)
    assert (found.rows, found.labelled) == (count, max(0, count - unlabelled))
    assert kept["id"].tolist() == list(range(count))
    assert kept["y"].isna().sum() == count - found.labelled
    assert (str(kept["x"].dtype), "event_timestamp" in kept) == ("float32", timed)


def test_rows_since_a_time_are_taken_and_what_is_no_time_is_refused(tmp_path: Path) -> None:
    assert recent(tmp_path, rows(10), TIMED, "2024-01-08")[1]["id"].tolist() == [7, 8, 9]
    with pytest.raises(InvalidSpec, match="is no time; write it as 2024-03-30"):
        recent(tmp_path, rows(10), TIMED, "yesterday")
    with pytest.raises(InvalidSpec, match="these rows have no time"):
        recent(tmp_path, rows(10), SPEC, "2024-01-08")
    with pytest.raises(DataUnreadable, match="no recent rows"):
        recent(tmp_path, rows(10), TIMED, "2025-01-01")
    with pytest.raises(DataUnreadable, match="has no column y"):
        recent(tmp_path, rows(10).drop(columns="y"))
