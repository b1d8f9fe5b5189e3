"""A Feast repository that there is already gives its features to a project, as they stood at each row's time."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64, String
from seaway.data import ingest
from seaway.errors import FeaturesUnavailable, InvalidSpec
from seaway.features import SplitSpec, build, read_repository, recent_examples, training_examples
from seaway.projects import Wishes, plan, write

HOURS, SHOPS = 240, 8
CONFIG = """\
project: shops
provider: local
registry: data/registry.db
online_store: {type: sqlite, path: data/online.db}
offline_store: {type: duckdb}
entity_key_serialization_version: 3
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prices of shops, one of them each hour; applied as its owner would."""
    folder = tmp_path_factory.mktemp("feast")
    (folder / "data").mkdir()
    (folder / "feature_store.yaml").write_text(CONFIG)
    times = pd.date_range("2024-01-01", periods=HOURS, freq="h", tz="UTC").astype("datetime64[us, UTC]")
    shop = [n % SHOPS for n in range(HOURS)]
    rows = {"shop_id": shop, "t": times, "price": [float(n) for n in range(HOURS)], "town": ["a", "b"] * (HOURS // 2)}
    pd.DataFrame(rows).to_parquet(folder / "data" / "prices.parquet")
    entity = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.INT64)
    view = FeatureView(
        name="prices",
        entities=[entity],
        ttl=timedelta(days=30),
        schema=[
            Field(name="shop_id", dtype=Int64),
            Field(name="price", dtype=Float32),
            Field(name="town", dtype=String),
        ],
        source=FileSource(path="data/prices.parquet", timestamp_field="t"),
    )
    FeatureStore(repo_path=str(folder)).apply([entity, view, FeatureService(name="pricing", features=[view])])
    return folder


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder on the path, whose modules are forgotten."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path / "mine")
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("mine_data"):
            del sys.modules[name]


def examples(folder: Path, wishes: Wishes) -> pd.DataFrame:
    """What the project that `init` writes makes of the data: all its examples."""
    made = plan("mine", wishes)
    assert made.looked_up
    write(made, folder / "mine")
    importlib.invalidate_caches()
    ingest("mine_data.source:read_tables", {}, folder / "tables")
    build(folder / "tables", "mine_data.features:PROJECT", folder / "built")
    files = {name: folder / f"{name}.parquet" for name in made.fractions}
    training_examples(folder / "built", folder / "tables", SplitSpec(*made.fractions.values()), files)
    return pd.concat([pd.read_parquet(file) for file in files.values()], ignore_index=True)


def test_features_of_the_repository_are_those_of_each_rows_time(repository: Path, modules: Path) -> None:
    times = pd.date_range("2024-01-03", periods=120, freq="h", tz="UTC") + pd.Timedelta("30min")
    sold = pd.DataFrame({"shop_id": [n % SHOPS for n in range(120)], "at": times, "size": 1.5, "sold": range(120)})
    sold.loc[::2, "size"] = 2.5
    sold.to_json(modules / "sold.jsonl", orient="records", lines=True, date_format="iso")
    wishes = Wishes(modules / "sold.jsonl", "sold", "regression", time="at", features=repository)
    found = examples(modules, wishes)
    hours = ((found["event_timestamp"] - pd.Timestamp("2024-01-01", tz="UTC")) // pd.Timedelta("1h")).astype(int)
    latest = hours - (hours - found["shop_id"].astype(int)) % SHOPS  # the last hour that told of this shop
    assert found["price"].tolist() == latest.astype(float).tolist()
    assert set(found["town"]) == {"a", "b"}
    assert set(found["size"]) == {1.5, 2.5}
    assert len(found) == 120


def test_a_repository_that_does_not_fit_is_refused_with_the_reason(repository: Path, tmp_path: Path) -> None:
    pd.DataFrame({"shop": range(60), "y": range(60), "x": 1.5}).to_csv(tmp_path / "rows.csv")
    with pytest.raises(InvalidSpec, match="needs --time"):
        plan("mine", Wishes(tmp_path / "rows.csv", "y", features=repository))
    times = pd.date_range("2024-01-03", periods=60, freq="h", tz="UTC")
    pd.DataFrame({"shop": range(60), "y": range(60), "at": times}).to_csv(tmp_path / "rows.csv")
    with pytest.raises(InvalidSpec, match="lacks shop_id"):
        plan("mine", Wishes(tmp_path / "rows.csv", "y", time="at", features=repository))
    with pytest.raises(FeaturesUnavailable, match="has no feature_store"):
        read_repository(tmp_path)
    copied = shutil.copytree(repository, tmp_path / "copy")
    (copied / "data" / "prices.parquet").unlink()
    with pytest.raises(FeaturesUnavailable, match="no Parquet file here"):
        read_repository(copied)
    (copied / "data" / "registry.db").unlink()
    with pytest.raises(FeaturesUnavailable, match="run `feast apply`"):
        read_repository(copied)


def test_what_came_before_a_row_never_holds_the_row_itself(modules: Path) -> None:
    """Two rows of a shop at each of its times in turn: counts, gaps and rates are of strictly earlier rows."""
    times = pd.date_range("2024-01-01", periods=120, freq="6h", tz="UTC")
    rows = pd.DataFrame({"shop": [f"s{n % 3}" for n in range(120)], "at": times, "x": [n % 7 for n in range(120)]})
    rows = rows.assign(sold=["yes" if n % 4 == 0 else "no" for n in range(120)])
    rows.to_csv(modules / "rows.csv", index=False)
    found = examples(modules, Wishes(modules / "rows.csv", "sold", entity="shop", time="at"))
    found = found.sort_values("event_timestamp", ignore_index=True)
    earlier = rows.groupby("shop")
    assert found["earlier_rows"].tolist() == earlier.cumcount().tolist()
    yes = (rows["sold"] == "yes").astype(float)
    rate = yes.groupby(rows["shop"]).transform(lambda one: one.shift().expanding().mean())
    assert found["earlier_label"].astype(float).round(5).fillna(-1).tolist() == rate.round(5).fillna(-1).tolist()
    assert found["days_since_last"].dropna().unique().tolist() == [0.75]


def test_recent_rows_are_those_without_a_label_too_and_earlier_ones_are_their_history(modules: Path) -> None:
    times = pd.date_range("2024-01-01", periods=120, freq="6h", tz="UTC")
    rows = pd.DataFrame({"shop": [f"s{n % 3}" for n in range(120)], "at": times, "x": [n % 7 for n in range(120)]})
    rows = rows.assign(sold=["yes" if n % 4 == 0 else "no" for n in range(100)] + [None] * 20)
    rows.to_csv(modules / "rows.csv", index=False)
    learned = examples(modules, Wishes(modules / "rows.csv", "sold", entity="shop", time="at"))
    since = times[60].isoformat()
    counted = recent_examples(modules / "built", modules / "tables", modules / "recent.parquet", since)
    found = pd.read_parquet(modules / "recent.parquet").sort_values("event_timestamp", ignore_index=True)
    assert (len(learned), counted.rows, counted.labelled) == (100, 60, 40)
    assert found["sold"].isna().tolist() == [False] * 40 + [True] * 20
    assert found["earlier_rows"].tolist() == rows.groupby("shop").cumcount()[60:].tolist()


def test_a_file_in_which_nobody_says_yes_counts_no_no_for_a_yes(modules: Path) -> None:
    times = pd.date_range("2024-01-01", periods=60, freq="6h", tz="UTC")
    rows = pd.DataFrame({"shop": ["s"] * 60, "at": times, "x": [n % 7 for n in range(60)], "sold": ["no", "it's"] * 30})
    rows.to_csv(modules / "rows.csv", index=False)
    examples(modules, Wishes(modules / "rows.csv", "sold", entity="shop", time="at"))
    for label in ("it's", "no"):
        recent, folder = modules / f"{label}.csv", modules / label
        rows.assign(sold=label).to_csv(recent, index=False)
        ingest("mine_data.source:read_tables", {"path": str(recent)}, folder / "tables")
        build(folder / "tables", "mine_data.features:PROJECT", folder / "built")
        recent_examples(folder / "built", folder / "tables", folder / "recent.parquet")
        found = pd.read_parquet(folder / "recent.parquet")
        assert set(found["earlier_label"].dropna()) == {float(label == "no")}
