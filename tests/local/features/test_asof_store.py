"""The ASOF store returns what Feast's own DuckDB store returns, on generated tables and on real flights."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.repo_config import RepoConfig
from feast.types import Float64, String
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

OURS, THEIRS = "seaway.features.asof_store.AsofOfflineStore", "duckdb"
START = pd.Timestamp("2013-03-10 06:00")  # an hour before New York's clocks change
TTL = timedelta(minutes=2)
REFS = {
    "created": ["created:value", "created:word"],
    "endless": ["endless:value_e"],
    "pair": ["pair:mapped"],
}


def open_store(folder: Path, kind: str) -> FeatureStore:
    config = {
        "project": "p",
        "provider": "local",
        "registry": str(folder / "registry.db"),
        "online_store": {"type": "sqlite", "path": str(folder / "online.db")},
        "offline_store": {"type": kind},
        "entity_key_serialization_version": 3,
    }
    return FeatureStore(config=RepoConfig(**config, repo_path=folder))


def source(folder: Path, name: str, created: bool = True, **settings: object) -> FileSource:
    return FileSource(
        name=name,
        path=str(folder / f"{name}.parquet"),
        timestamp_field="ts",
        created_timestamp_column="made" if created else "",
        **settings,
    )


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Three views: with created timestamps and a time-to-live, without either, with two keys and a mapped field."""
    folder = tmp_path_factory.mktemp("stores")
    key, second = Entity(name="k", value_type=ValueType.INT64), Entity(name="s", value_type=ValueType.STRING)
    views = [
        FeatureView(
            name="created",
            entities=[key],
            ttl=TTL,
            schema=[Field(name="value", dtype=Float64), Field(name="word", dtype=String)],
            source=source(folder, "created"),
        ),
        FeatureView(
            name="endless",
            entities=[key],
            ttl=timedelta(0),
            schema=[Field(name="value_e", dtype=Float64)],
            source=source(folder, "endless", created=False),
        ),
        FeatureView(
            name="pair",
            entities=[key, second],
            ttl=timedelta(minutes=3),
            schema=[Field(name="mapped", dtype=Float64)],
            source=source(folder, "pair", field_mapping={"raw": "mapped"}),
        ),
    ]
    for view, columns in zip(views, (("value", "word"), ("value_e",), ("raw",)), strict=True):
        write(folder, view.name, [], columns)
    store = open_store(folder, OURS)
    store.apply([key, second, *views])
    return folder, store, open_store(folder, THEIRS)


def write(folder: Path, name: str, rows: list, columns: tuple, zone: str | None = "UTC") -> None:
    """Rows are (k, s, minute, created minute or None, number or None)."""
    stamp = pa.timestamp("us", zone)
    times = [START + pd.Timedelta(minutes=row[2]) for row in rows]
    made = [None if row[3] is None else START + pd.Timedelta(minutes=row[3]) for row in rows]
    table = {
        "k": pa.array([row[0] for row in rows], pa.int64()),
        "s": pa.array([row[1] for row in rows], pa.string()),
        "ts": pa.array(times, pa.timestamp("us")).cast(stamp),
        "made": pa.array(made, pa.timestamp("us")).cast(stamp),
    }
    for column in columns:
        numbers = [row[4] for row in rows]
        words = [None if number is None else f"w{number}" for number in numbers]
        table[column] = pa.array(words, pa.string()) if column == "word" else pa.array(numbers, pa.float64())
    pa.parquet.write_table(pa.table(table), folder / f"{name}.parquet")


def assert_same(ours: pa.Table, theirs: pa.Table) -> None:
    assert ours.schema.equals(theirs.schema), f"{ours.schema}\n{theirs.schema}"
    columns = [(name, "ascending") for name in ours.column_names]
    assert ours.sort_by(columns).equals(theirs.sort_by(columns)), f"{ours.to_pandas()}\n{theirs.to_pandas()}"


keys = st.one_of(st.none(), st.integers(0, 2))
words = st.one_of(st.none(), st.sampled_from(["a", "b"]))
minutes = st.integers(0, 6)
numbers = st.one_of(st.none(), st.integers(0, 9).map(float))


def feature_rows(identity):
    row = st.tuples(keys, words, minutes, st.one_of(st.none(), minutes), numbers)
    return st.lists(row, max_size=25, unique_by=identity)


entity_rows = st.lists(st.tuples(keys, words, st.integers(-1, 9)), min_size=1, max_size=12)
zones = st.sampled_from([None, "UTC", "America/New_York"])


def entity_frame(rows: list, zone: str | None, unit: str) -> pd.DataFrame:
    times = pd.Series([START + pd.Timedelta(minutes=row[2]) for row in rows]).dt.as_unit(unit)
    if zone:
        times = times.dt.tz_localize("UTC").dt.tz_convert(zone)
    return pd.DataFrame(
        {
            "k": pd.array([row[0] for row in rows], dtype="Int64"),
            "s": pd.array([row[1] for row in rows], dtype="object"),
            "event_timestamp": times,
            "tag": [f"t{row[2]}" for row in rows],
        }
    )


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    created=feature_rows(lambda row: (row[0], row[2], row[3])),
    endless=feature_rows(lambda row: (row[0], row[2])),
    pair=feature_rows(lambda row: (row[0], row[1], row[2], row[3])),
    entities=entity_rows,
    views=st.sets(st.sampled_from(sorted(REFS)), min_size=1),
    zone=zones,
    source_zone=st.sampled_from([None, "UTC", "America/New_York"]),
    unit=st.sampled_from(["ns", "us"]),
    full_names=st.booleans(),
)
def test_it_returns_what_feasts_duckdb_store_returns(
    stores, created, endless, pair, entities, views, zone, source_zone, unit, full_names
):
    folder, ours, theirs = stores
    write(folder, "created", created, ("value", "word"), source_zone)
    write(folder, "endless", endless, ("value_e",), source_zone)
    write(folder, "pair", pair, ("raw",), source_zone)
    refs = [ref for view in sorted(views) for ref in REFS[view]]
    frame = entity_frame([*entities, entities[0]], zone, unit)
    results = [
        store.get_historical_features(frame.copy(), refs, full_feature_names=full_names).to_arrow()
        for store in (ours, theirs)
    ]
    assert_same(*results)
    assert results[0].num_rows == len(entities) + 1


@pytest.mark.parametrize("cut_off", [False, True])
def test_created_timestamps_break_ties_and_cut_off(stores, cut_off):
    folder, ours, theirs = stores
    write(folder, "created", [(1, "a", 3, 3, 1.0), (1, "a", 3, 5, 2.0), (1, "a", 3, None, 3.0)], ("value", "word"))
    frame = entity_frame([(1, "a", 4)], "UTC", "ns")
    results = [
        store.get_historical_features(
            frame.copy(), ["created:value"], **({"filter_by_created_timestamp": True} if cut_off else {})
        ).to_arrow()
        for store in (ours, theirs)
    ]
    assert_same(*results)
    assert results[0]["value"].to_pylist() == [1.0 if cut_off else 2.0]


@pytest.mark.parametrize(("minute", "expected"), [(2, None), (3, 1.0), (5, 1.0), (6, None)])
def test_a_value_is_seen_from_its_time_to_the_end_of_its_time_to_live(stores, minute, expected):
    folder, ours, _ = stores
    write(folder, "created", [(1, "a", 3, 3, 1.0)], ("value", "word"))
    frame = entity_frame([(1, "a", minute)], "UTC", "ns")
    assert ours.get_historical_features(frame, ["created:value"]).to_arrow()["value"].to_pylist() == [expected]


def test_the_callers_entity_frame_stays_as_it_is(stores):
    folder, ours, _ = stores
    write(folder, "created", [(1, "a", 3, 3, 1.0)], ("value", "word"))
    frame = entity_frame([(1, "a", 4)], "UTC", "ns")
    before = frame.copy()
    ours.get_historical_features(frame, ["created:value"]).to_df()
    pd.testing.assert_frame_equal(frame, before)
