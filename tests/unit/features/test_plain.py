"""Examples out of one table: every labelled row in exactly one split, and labels of the task."""

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features import ExampleCounts, PlainSpec, SplitSpec, plain_examples

SPLITS = ("train", "validation", "test", "replay")


def rows(count: int) -> pd.DataFrame:
    at = pd.date_range("2024-01-01", periods=count, freq="h", tz="UTC")
    return pd.DataFrame({"id": range(count), "at": at[::-1], "x": 1.5, "c": "a", "y": [n % 3 for n in range(count)]})


def split(folder: Path, table: pd.DataFrame, spec: PlainSpec) -> tuple[ExampleCounts, dict[str, pd.DataFrame]]:
    table.to_parquet(folder / "rows.parquet")
    counts = plain_examples(folder / "rows.parquet", spec, SplitSpec(), {name: folder / name for name in SPLITS})
    return counts, {name: pd.read_parquet(folder / name) for name in SPLITS}


SPEC = PlainSpec("y", "multiclass", ["x"], ["c"], ["id"])


@settings(max_examples=15, deadline=None)
@given(count=st.integers(30, 200), seed=st.integers(0, 9), unlabelled=st.integers(0, 9))
def test_every_labelled_row_is_in_one_split_and_the_seed_says_in_which(
    tmp_path_factory: pytest.TempPathFactory, count: int, seed: int, unlabelled: int
) -> None:
    table = rows(count).astype({"y": "Int64"})
    table.loc[: unlabelled - 1, "y"] = None
    spec = PlainSpec("y", "multiclass", ["x"], ["c"], ["id"], seed=seed)
    counts, parts = split(tmp_path_factory.mktemp("plain"), table, spec)
    found = [row for part in parts.values() for row in part["id"]]
    assert sorted(found) == list(range(unlabelled, count))
    assert counts.rows == {name: len(part) for name, part in parts.items()}
    assert "3 classes in train" in counts.summary
    again = split(tmp_path_factory.mktemp("plain"), table, spec)[1]
    assert all(part.equals(again[name]) for name, part in parts.items())


def test_every_split_has_its_share_of_a_rare_class(tmp_path: Path) -> None:
    _, parts = split(
        tmp_path, rows(200).assign(y=[int(n % 25 == 0) for n in range(200)]), PlainSpec("y", "binary", ["x"])
    )
    assert [int(part["y"].sum()) for part in parts.values()] == [5, 1, 1, 1]


def test_rows_with_a_time_are_split_by_it_and_are_examples_with_event_times(tmp_path: Path) -> None:
    _, parts = split(tmp_path, rows(100), PlainSpec("y", "multiclass", ["x"], ["c"], ["id"], time="at"))
    ends = [(part["event_timestamp"].min(), part["event_timestamp"].max()) for part in parts.values()]
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    assert (parts["train"]["label_timestamp"] == parts["train"]["event_timestamp"]).all()


@pytest.mark.parametrize(
    ("table", "spec", "reason"),
    [
        (rows(30).drop(columns="c"), SPEC, "has no column c"),
        (rows(30).assign(y=None), SPEC, "No row of rows has a 'y'"),
        (rows(3), SPEC, "leave none for"),
        (rows(30), PlainSpec("y", "binary", ["x"]), "holds 2 in"),
        (rows(30).assign(at=pd.NaT), PlainSpec("y", "multiclass", ["x"], time="at"), "have no 'at'"),
    ],
)
def test_unusable_tables_are_refused_and_nothing_is_written(
    tmp_path: Path, table: pd.DataFrame, spec: PlainSpec, reason: str
) -> None:
    with pytest.raises(DataUnreadable, match=reason):
        split(tmp_path, table, spec)
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [({}, "nothing to learn from"), ({"numeric": ["y"]}, "two roles"), ({"numeric": ["a", "a"]}, "two")],
)
def test_columns_without_a_role_or_with_two_are_refused(columns: dict[str, list[str]], reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        PlainSpec("y", **columns)  # type: ignore[arg-type]


def pictures(folder: Path, values: list[object]) -> tuple[ExampleCounts, dict[str, pd.DataFrame]]:
    table = rows(len(values)).assign(photo=values)
    return split(folder, table, PlainSpec("y", "multiclass", images=["photo"], keep=["id"]))


def test_where_pictures_are_becomes_their_bytes_in_the_examples(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.png" for n in range(30)]
    for n, file in enumerate(files):
        file.write_bytes(b"%d" % n)
    _, parts = pictures(tmp_path, [file.as_uri() if n % 2 else str(file) for n, file in enumerate(files)])
    found = {row.id: row.photo for part in parts.values() for row in part.itertuples()}
    assert found == {n: b"%d" % n for n in range(30)}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("gone.png", "Column 'photo' names gone.png, which cannot be read"),
        ("file:///no/such.png", "which cannot be read"),
        ("gopher://x/y.png", "No storage for gopher://"),
        (None, "Column 'photo' has no file in 1 of"),
    ],
)
def test_a_picture_that_is_not_there_is_told_by_its_name(tmp_path: Path, value: object, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    with pytest.raises((DataUnreadable, InvalidSpec), match=reason):
        pictures(tmp_path, [str(tmp_path / "a.png")] * 29 + [value])
