"""Versions of data: kept by content, brought back whole, told apart."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from seaway.cli import data as commands
from seaway.data import ingest
from seaway.data.difference import compare
from seaway.data.origin import ORIGINS, carry, origin
from seaway.data.versions import Versions, content_version, names_with, split_name
from seaway.errors import DataUnreadable, InvalidSpec, StorageCorrupted
from seaway.models.lineage import Lineage
from seaway.storage import sha256


def tables(folder: Path, **columns: Any) -> Path:
    """A folder with the table `rows`, and one that never changes."""
    folder.mkdir()
    parquet.write_table(pa.table(columns), folder / "rows.parquet")
    parquet.write_table(pa.table({"town": ["here"]}), folder / "towns.parquet")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Versions:
    return Versions(str(tmp_path / "store"), "orders")


def test_the_same_content_is_the_same_version_and_shared_files_are_kept_once(store: Versions, tmp_path: Path) -> None:
    first, new = store.keep(tables(tmp_path / "a", n=[1, 2]), "first", {"source": "x:y", "version": "7"})
    assert new and first.rows == {"rows": 2, "towns": 1} and first.read_from == {"source": "x:y", "version": "7"}
    assert store.keep(tables(tmp_path / "b", n=[1, 2]), "again") == (first, False)
    second, new = store.keep(tables(tmp_path / "c", n=[1, 2, 3]))
    assert new and [one.version for one in store.log()] == [first.version, second.version]
    assert len([file for file in (tmp_path / "store" / "objects").rglob("*") if file.is_file()]) == 3


def test_a_version_comes_back_whole_and_trains_the_same(store: Versions, tmp_path: Path) -> None:
    first, _ = store.keep(tables(tmp_path / "a", n=[1, 2]))
    store.keep(tables(tmp_path / "b", n=[5]))
    target = tables(tmp_path / "target", other=[1])
    assert store.checkout(first.version[:6], target) == first
    assert sha256(target) == sha256(tmp_path / "a")
    options = {"store": store.uri, "name": "orders", "version": first.version}
    read = ingest("seaway.data.sources.versions:read", options, tmp_path / "read")
    assert read.version == f"orders@{first.version}"
    assert parquet.read_table(tmp_path / "read" / "rows.parquet")["n"].to_pylist() == [1, 2]
    again = ingest("seaway.data.sources.versions:read", options, tmp_path / "again")
    assert again.sha256 == read.sha256
    latest = ingest("seaway.data.sources.versions:read", {"store": store.uri, "name": "orders"}, tmp_path / "latest")
    assert latest.rows["rows"] == 1


def test_a_file_that_was_damaged_is_told_and_what_was_there_stays(store: Versions, tmp_path: Path) -> None:
    first, _ = store.keep(tables(tmp_path / "a", n=[1, 2]))
    [damaged] = list((tmp_path / "store" / "objects").rglob(first.files["rows.parquet"]))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    target = tables(tmp_path / "target", other=[1])
    before = sha256(target)
    with pytest.raises(StorageCorrupted, match=r"rows\.parquet of orders@"):
        store.checkout("latest", target)
    assert sha256(target) == before


def test_a_keep_that_is_ended_leaves_no_version(
    store: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects come first, so what fails before the manifest has kept nothing that anybody sees."""
    folder = tables(tmp_path / "a", n=[1])
    monkeypatch.setattr("seaway.data.versions.write_json", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        store.keep(folder)
    assert store.log() == []
    monkeypatch.undo()
    assert store.keep(folder)[1]


def test_what_is_not_there_or_no_name_is_told(store: Versions, tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="0 versions of 'orders' are 'latest'; there are: none"):
        store.find()
    store.keep(tables(tmp_path / "a", n=[1]))
    with pytest.raises(DataUnreadable, match="are 'zz'"):
        store.checkout("zz", tmp_path / "b")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataUnreadable, match="no Parquet file"):
        store.keep(tmp_path / "empty")
    for name in ("", "a/b", "a@b", "..", "/a"):
        with pytest.raises(InvalidSpec):
            Versions("store", name)
    assert split_name("orders@12") == ("orders", "12") and split_name("orders") == ("orders", "latest")


def test_rows_of_one_key_and_columns_are_compared(tmp_path: Path) -> None:
    old = tables(tmp_path / "a", id=[1, 2, 3], n=[1.0, 2.0, None], gone=["x"] * 3)
    new = tables(tmp_path / "b", id=[2, 3, 4], n=[2, None, 7], more=[1] * 3)
    found = compare(old, new, "id")
    rows = found.tables["rows"]
    assert (rows.rows, rows.added, rows.removed, rows.changed) == ((3, 3), 1, 1, 1)
    assert (rows.columns_added, rows.columns_removed) == (("more",), ("gone",))
    assert rows.columns_retyped == {"n": ("DOUBLE", "BIGINT")}
    assert found.tables["towns"].same and not found.tables_added
    (new / "towns.parquet").unlink()
    assert compare(old, new).tables_removed == ("towns",)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1), st.lists(st.integers(0, 5), min_size=1))
def test_without_a_key_rows_are_a_bag(tmp_path_factory: pytest.TempPathFactory, old: list[int], new: list[int]) -> None:
    folder = tmp_path_factory.mktemp("bags")
    found = compare(tables(folder / "a", n=old), tables(folder / "b", n=new)).tables["rows"]
    more = {value: new.count(value) - old.count(value) for value in {*old, *new}}
    assert found.added == sum(count for count in more.values() if count > 0)
    assert found.removed == -sum(count for count in more.values() if count < 0)
    assert found.changed is None and found.same == (sorted(old) == sorted(new))


def test_drift_is_the_largest_gap_of_two_distributions(tmp_path: Path) -> None:
    from scipy.stats import ks_2samp

    generator = np.random.default_rng(0)
    old, new = generator.normal(0, 1, 500), generator.normal(0.5, 1, 300)
    same = generator.permutation(500)
    before = tables(tmp_path / "a", n=old, even=np.arange(500), kind=["x", "y"] * 250, gap=[1.0] * 500)
    after = tables(tmp_path / "b", n=new, even=same[:300], kind=["x", "x", "y"] * 100, gap=[1.0, None, None] * 100)
    drifted = compare(before, after).tables["rows"].drifted
    assert drifted == pytest.approx({"n": ks_2samp(old, new).statistic, "kind": 1 / 6, "gap": 2 / 3}, abs=1e-4)


def test_the_commands_tell_it(
    store: Versions, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_DATA_VERSIONS", store.uri)
    commands.log("orders", "", as_json=False)
    assert capsys.readouterr().out == "No version of 'orders' is kept.\n"
    first, _ = store.keep(tables(tmp_path / "a", id=[1, 2], n=[1, 2]), "first")
    store.keep(tables(tmp_path / "b", id=[1, 2, 3], n=[1, 9, 9]), "second")
    commands.log("orders", "", as_json=False)
    assert [line.split("\t")[-1] for line in capsys.readouterr().out.splitlines()] == ["second", "first"]
    commands.diff(f"orders@{first.version}", "orders", "id", "", as_json=False)
    assert capsys.readouterr().out == (
        "rows: 2 to 3 rows: 1 added, 0 removed, 1 changed; n has drifted by 0.67\ntowns: the same 1 rows\n"
    )
    commands.diff(str(tmp_path / "a"), str(tmp_path / "a"), "", "", as_json=True)
    assert json.loads(capsys.readouterr().out)["tables"]["rows"]["added"] == 0
    commands.checkout(f"orders@{first.version}", tmp_path / "out", "")
    assert sha256(tmp_path / "out") == sha256(tmp_path / "a")
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(InvalidSpec, match="something else"):
        commands.checkout("orders", tmp_path / "out", "")


def test_a_version_is_found_without_its_name(
    store: Versions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tables(tmp_path / "a", n=[1])
    kept, _ = store.keep(folder)
    Versions(store.uri, "bills").keep(tables(tmp_path / "b", n=[2]))
    assert content_version(folder) == kept.version
    assert names_with(store.uri, kept.version[:8]) == ["orders"] and names_with(store.uri, "zz") == []
    commands.checkout(f"@{kept.version}", tmp_path / "out", store.uri)
    assert capsys.readouterr().out.startswith(f"orders@{kept.version} is in")
    with pytest.raises(DataUnreadable, match=r"No data in .* have the version 'zz'"):
        commands.checkout("@zz", tmp_path / "out", store.uri)


def test_a_model_of_no_data_or_of_several_is_told(tmp_path: Path) -> None:
    told = {"data_sha256": "ab" * 32, "code_version": "git:1"}
    Lineage(**told).write(tmp_path)
    assert "origins" not in json.loads((tmp_path / "lineage.json").read_text())
    with pytest.raises(DataUnreadable, match="does not say what it was made of"):
        commands.checkout(str(tmp_path), tmp_path / "out", "store")
    two = [{"version": version, "source": "x:y", "read": ""} for version in ("11", "22")]
    Lineage(**told, origins=two).write(tmp_path)
    with pytest.raises(DataUnreadable, match="was made of @11 and @22; ask for one"):
        commands.checkout(str(tmp_path), tmp_path / "out", "store")


def test_origins_are_carried_once_each_and_nothing_is_said_where_none_is_known(tmp_path: Path) -> None:
    first = origin(tables(tmp_path / "a", n=[1]), "shop:read", "7")
    other = {**first, "read": "8"}
    made: list[dict[str, Any]] = [{}, {"rows": 1}]
    carry([{}], made)
    assert made == [{}, {"rows": 1}]
    carry([{ORIGINS: [first]}, {}, {ORIGINS: [other, first]}], made)
    assert made == [{ORIGINS: [first, other]}, {"rows": 1, ORIGINS: [first, other]}]
