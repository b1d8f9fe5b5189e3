"""Delta Lake and Iceberg: a table read as it was, the same twice, and what is gone is told."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from object_store import object_store
from pyarrow import parquet
from seaway.data import ingest
from seaway.data.sources import delta, iceberg
from seaway.errors import DataUnreadable, InvalidSpec

DELTA, ICEBERG = "seaway.data.sources.delta:read", "seaway.data.sources.iceberg:read"
FIRST, SECOND = pa.table({"n": [1, 2], "town": ["a", "b"]}), pa.table({"n": [3], "town": ["c"]})


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """A Delta table of two versions."""
    from deltalake import write_deltalake

    path = str(tmp_path / "orders")
    write_deltalake(path, FIRST)
    write_deltalake(path, SECOND, mode="append")
    return path


def test_a_delta_table_is_read_as_it_was_and_twice_the_same(lake: str, tmp_path: Path) -> None:
    latest, first, again = (
        ingest(DELTA, {"path": lake, **version}, tmp_path / name)
        for name, version in (("a", {}), ("b", {"version": 0}), ("c", {"version": 0}))
    )
    assert (latest.rows, first.rows) == ({"rows": 3}, {"rows": 2})
    assert first.version.endswith(", version 0") and latest.version.endswith(", version 1")
    assert (first.sha256, first.version) == (again.sha256, again.version) != (latest.sha256, latest.version)
    assert delta.version_of(lake) == latest.version
    assert delta.read(lake, "towns", columns=["town"])["towns"].column_names == ["town"]


def test_what_a_delta_table_does_not_have_is_told(lake: str, tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="in version 7"):
        delta.read(lake, version=7)
    with pytest.raises(DataUnreadable, match="no Delta table"):
        delta.read(str(tmp_path / "nothing"))
    with pytest.raises(DataUnreadable, match="cannot be read"):
        delta.read(lake, columns=["gone"])
    with pytest.raises(InvalidSpec, match="gopher"):
        delta.read("gopher://there")
    for file in Path(lake).glob("*.parquet"):
        file.unlink()
    with pytest.raises(DataUnreadable, match="cannot be read"):
        delta.read(lake)


def test_a_delta_table_lies_on_s3_as_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltalake import write_deltalake

    with object_store(tmp_path / "store") as store:
        store.client().make_bucket("lake")
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        write_deltalake("s3://lake/orders", FIRST)
        write_deltalake("s3://lake/orders", SECOND, mode="append")
        assert delta.read("s3://lake/orders", version=0)["rows"].num_rows == 2
        assert delta.read("s3://lake/orders")["rows"].num_rows == 3


@pytest.fixture
def catalog(tmp_path: Path) -> dict[str, str]:
    return {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": f"file://{tmp_path}/warehouse"}


def test_an_iceberg_table_is_read_as_it_was_and_twice_the_same(catalog: dict[str, str], tmp_path: Path) -> None:
    from pyiceberg.catalog import load_catalog

    made = load_catalog("shop", **catalog)
    made.create_namespace("shop")
    table = made.create_table("shop.orders", FIRST.schema)
    options: dict[str, Any] = {"table": "shop.orders", "catalog": "shop", "properties": catalog}
    with pytest.raises(DataUnreadable, match=r"shop\.orders has no snapshot yet"):
        iceberg.read(**options)
    table.append(FIRST)
    was = table.current_snapshot().snapshot_id
    table.append(SECOND)
    latest, first, again = (
        ingest(ICEBERG, {**options, **more}, tmp_path / name)
        for name, more in (("a", {}), ("b", {"snapshot": was}), ("c", {"snapshot": was}))
    )
    assert (latest.rows, first.rows) == ({"rows": 3}, {"rows": 2})
    assert first.version.endswith(f", snapshot {was}") and iceberg.version_of(**options) == latest.version
    assert (first.sha256, first.version) == (again.sha256, again.version) != (latest.sha256, latest.version)
    assert parquet.read_table(tmp_path / "b" / "rows.parquet")["n"].to_pylist() == [1, 2]
    some = iceberg.read(**options, columns=["n"], where="n > 1")["rows"]
    assert some.column_names == ["n"] and sorted(some["n"].to_pylist()) == [2, 3]
    wrong: dict[str, dict[str, Any]] = {
        "no snapshot 5": {"snapshot": 5},
        "cannot be read": {"columns": ["gone"]},
        "no table 'shop.gone'": {"table": "shop.gone"},
        "snapshot .* cannot be read": {"where": "n >>> 1"},
    }
    for told, changed in wrong.items():
        with pytest.raises(DataUnreadable, match=told):
            iceberg.read(**{**options, **changed})
