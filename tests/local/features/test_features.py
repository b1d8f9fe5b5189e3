"""Real flights through a real Feast repository: no value from the future, and clear errors for bad input."""

import shutil
from dataclasses import replace

import duckdb
import pandas as pd
import pytest
from feast import FeatureStore
from pyarrow import parquet
from seaway.data import ingest, validate
from seaway.errors import DataUnreadable, FeaturesUnavailable, InvalidSpec
from seaway.features import FeatureRepository, SplitSpec, build, training_examples
from seaway_examples.flights import definitions, schema

DEFINITIONS = "seaway_examples.flights.definitions:PROJECT"
SPLITS = ("train", "validation", "test", "replay")


@pytest.fixture(scope="module")
def flights(tmp_path_factory):
    """Tables, repository and examples of the first 8,000 flights."""
    folder = tmp_path_factory.mktemp("flights")
    ingest("seaway_examples.flights.source:read_tables", {"months": "1", "rows": 8000}, folder / "tables")
    build(folder / "tables", DEFINITIONS, folder / "repository")
    training_examples(folder / "repository", folder / "tables", SplitSpec(), files(folder))
    return folder


def files(folder):
    return {name: folder / f"{name}.parquet" for name in SPLITS}


@pytest.fixture
def examples(flights):
    return pd.concat([pd.read_parquet(file) for file in files(flights).values()])


def test_flights_keep_the_rules_of_the_example(flights, tmp_path):
    outcome = validate(flights / "tables", "seaway_examples.flights.rules:RULES", tmp_path / "report.html")
    assert outcome.failures == ()


def test_arrival_agrees_with_the_schedule_and_the_delay(flights):
    rows = pd.read_parquet(flights / "tables" / "flights.parquet").query("status == 'arrived'")
    assert (rows["arrival"] - pd.to_timedelta(rows["arr_delay"], unit="min") == rows["scheduled_arrival"]).all()
    assert ((rows["arr_delay"] > 15) == (rows["late"] == 1)).all()


def test_cancelled_flights_stay_in_the_tables_and_out_of_the_examples(flights, examples):
    rows = pd.read_parquet(flights / "tables" / "flights.parquet")
    unlabelled = set(rows.loc[rows["status"] != "arrived", "flight_id"])
    assert unlabelled
    assert not unlabelled & set(examples["flight_id"])


def test_examples_carry_every_input_in_time_order(flights, examples):
    for file in files(flights).values():
        assert pd.read_parquet(file)["event_timestamp"].is_monotonic_increasing
    assert set(schema.NUMERIC) | set(schema.CATEGORICAL) <= set(examples)
    assert (examples.dtypes[list(schema.NUMERIC)] == "float32").all()
    assert examples[["flight_id", "event_timestamp", "label_timestamp", "late"]].notna().all(axis=None)
    assert examples["flight_id"].is_unique


def test_a_history_counts_exactly_the_flights_that_had_arrived(flights, examples):
    """Each carrier's 7-day rate, computed anew flight by flight from the raw table."""
    sample = examples.sample(60, random_state=0)
    rows = pd.read_parquet(flights / "tables" / "flights.parquet").query("status == 'arrived'")
    rows["known"] = rows["arrival"] + pd.Timedelta(minutes=1)
    for example in sample.itertuples():
        past = rows[(rows["carrier"] == example.carrier) & (rows["known"] <= example.event_timestamp)]
        if past.empty:
            assert pd.isna(example.carrier_late_rate_7d)
            continue
        last = past["known"].max()
        window = past[past["known"] >= last - pd.Timedelta(days=7)]
        assert example.carrier_late_rate_7d == pytest.approx(window["late"].mean(), rel=1e-6)


def test_what_happens_later_does_not_change_earlier_examples(flights, examples, tmp_path):
    """The same flights, their second half delayed by hours: features of the first half stay as they were."""
    tables = shutil.copytree(flights / "tables", tmp_path / "tables")
    middle = examples["event_timestamp"].median()
    flown = duckdb.read_parquet(str(flights / "tables" / "flights.parquet"))
    changed = flown.query(
        "flown",
        f"""SELECT * REPLACE (
            CASE WHEN departure >= TIMESTAMPTZ '{middle}' THEN dep_delay + 300 ELSE dep_delay END AS dep_delay,
            CASE WHEN arrival >= TIMESTAMPTZ '{middle}' THEN 1 - late ELSE late END AS late) FROM flown""",  # noqa: S608
    ).to_arrow_table()
    parquet.write_table(changed, tables / "flights.parquet")
    build(tables, DEFINITIONS, tmp_path / "repository", online=False)
    training_examples(tmp_path / "repository", tables, SplitSpec(), files(tmp_path))
    after = pd.concat([pd.read_parquet(file) for file in files(tmp_path).values()])
    inputs = ["flight_id", *schema.NUMERIC]
    before, after = (part.loc[part["event_timestamp"] < middle, inputs] for part in (examples, after))
    pd.testing.assert_frame_equal(before, after)


def test_the_online_store_serves_the_latest_values(flights):
    store = FeatureStore(repo_path=str(flights / "repository"))
    view = pd.read_parquet(flights / "repository" / "sources" / "carrier_arrivals.parquet")
    last = view[view["carrier"] == "UA"].sort_values("event_timestamp").iloc[-1]
    served = store.get_online_features(["carrier_arrivals:carrier_late_rate_7d"], [{"carrier": "UA"}]).to_dict()
    assert served["carrier_late_rate_7d"] == [pytest.approx(last["carrier_late_rate_7d"])]


def test_the_repository_can_be_moved(flights, tmp_path):
    moved = shutil.copytree(flights / "repository", tmp_path / "elsewhere")
    counts = training_examples(moved, flights / "tables", SplitSpec(), files(tmp_path))
    assert counts.rows == {name: len(pd.read_parquet(file)) for name, file in files(flights).items()}


def test_the_summary_tells_all_splits_and_no_split_tells_its_own(flights, tmp_path):
    counts = training_examples(flights / "repository", flights / "tables", SplitSpec(), files(tmp_path))
    assert counts.summary.startswith(f"{sum(counts.rows.values()):,} rows in 4 splits, ")
    assert all("summary" not in counts.metadata(name) for name in SPLITS)


def test_a_missing_table_or_column_is_named(flights, tmp_path):
    tables = shutil.copytree(flights / "tables", tmp_path / "tables")
    (tables / "weather.parquet").unlink()
    with pytest.raises(DataUnreadable, match=r"weather\.parquet"):
        build(tables, DEFINITIONS, tmp_path / "repository")
    rows = parquet.read_table(flights / "tables" / "weather.parquet")
    parquet.write_table(rows.drop_columns(["observed"]), tables / "weather.parquet")
    with pytest.raises(DataUnreadable, match="observed"):
        build(tables, DEFINITIONS, tmp_path / "repository")


def test_an_empty_source_is_named(flights, tmp_path):
    tables = shutil.copytree(flights / "tables", tmp_path / "tables")
    parquet.write_table(parquet.read_table(tables / "weather.parquet").slice(0, 0), tables / "weather.parquet")
    with pytest.raises(FeaturesUnavailable, match="weather has no rows"):
        build(tables, DEFINITIONS, tmp_path / "repository")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("late", "NULL", "have no late"), ("late", "2", "0 or 1"), ("label_timestamp", "NULL", "have no label_timestamp")],
)
def test_a_label_that_is_none_stops_the_step(flights, tmp_path, monkeypatch, column, value, message):
    sql = f"SELECT * REPLACE ({value} AS {column}) FROM rows"  # noqa: S608

    def broken(tables):
        rows = definitions.entity_rows(tables)
        return duckdb.from_arrow(rows).query("rows", sql).to_arrow_table()

    monkeypatch.setattr(definitions, "PROJECT", replace(definitions.PROJECT, entity_rows=broken))
    with pytest.raises(DataUnreadable, match=message):
        training_examples(flights / "repository", flights / "tables", SplitSpec(), files(tmp_path))
    assert not any(tmp_path.iterdir())


def test_an_input_that_no_view_gives_is_named(flights, tmp_path, monkeypatch):
    numeric = (*definitions.PROJECT.numeric, "fuel")
    monkeypatch.setattr(definitions, "PROJECT", replace(definitions.PROJECT, numeric=numeric))
    with pytest.raises(FeaturesUnavailable, match="gives fuel"):
        training_examples(flights / "repository", flights / "tables", SplitSpec(), files(tmp_path))


def test_what_is_no_repository_or_no_project_is_told(flights, tmp_path):
    with pytest.raises(DataUnreadable, match=r"repository\.json does not exist"):
        FeatureRepository.open(tmp_path)
    with pytest.raises(InvalidSpec, match="FeatureProject"):
        build(flights / "tables", "seaway_examples.flights.schema:NUMERIC", tmp_path)
    with pytest.raises(InvalidSpec, match="Examples go to"):
        training_examples(flights / "repository", flights / "tables", SplitSpec(), {"train": tmp_path / "train"})
