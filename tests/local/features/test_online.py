"""Latest values by keys, as Feast itself gives them, and what is told where there are none."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import online_store
import postgres
import pytest
from feast import FeatureStore, RequestSource
from feast.field import Field
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float32, Float64
from hypothesis import given, settings
from hypothesis import strategies as st
from online_store import NOW, SITE, WEATHER
from seaway.errors import FeaturesUnavailable, InvalidSpec
from seaway.features import OnlineFeatures


@pytest.fixture(scope="module", params=["sqlite", "redis", "postgres"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("store")
    if request.param == "sqlite":
        yield online_store.repository(folder)
        return
    if request.param == "postgres":
        if postgres.BIN is None:
            pytest.skip("no PostgreSQL on this machine")
        with postgres.folder() as short, online_store.postgres(short) as configured:
            yield online_store.repository(folder, configured)
        return
    program = shutil.which("redis-server") or pytest.skip("no redis-server on PATH")
    with online_store.redis(folder, program) as configuration:
        yield online_store.repository(folder, configuration)


KEYS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "old", "bare", "nobody"]), st.sampled_from([1, 2, 3])), min_size=1, max_size=9
)


@settings(max_examples=25, deadline=None)
@given(KEYS)
def test_values_are_those_that_feast_gives(folder: Path, keys: list[tuple[str, int]]) -> None:
    columns = {"shop": [shop for shop, _ in keys], "item": [item for _, item in keys]}
    store = FeatureStore(repo_path=str(folder))
    expected = store.get_online_features(
        store.get_feature_service("all"), [{"shop": shop, "item": item} for shop, item in keys]
    ).to_dict()
    found = OnlineFeatures(folder, "all").read(columns)
    fresh = [shop != "old" for shop, _ in keys]
    for name, values in found.items():
        kept = [value if new or name not in ("distance", "weather") else None
                for value, new in zip(expected[name], fresh, strict=True)]  # fmt: skip
        assert values == kept, name


def test_what_a_service_asks_for_is_named_as_a_request_names_it(folder: Path) -> None:
    every = OnlineFeatures(folder, "all")
    assert every.keys == {"shop": "BYTES", "item": "INT64"}
    assert every.features == ("distance", "weather", "left", "shelf", "rate")
    renamed = OnlineFeatures(folder, "sold_from")
    assert renamed.keys == {"sold_from": "BYTES", "shop": "BYTES", "item": "INT64"}
    found = renamed.read({"sold_from": ["b"], "shop": ["a"], "item": [2]})
    assert (found["distance"], found["left"], len(found["weather"][0])) == ([250.5], [0], WEATHER)


def test_values_live_as_long_as_their_view_says(folder: Path) -> None:
    for later, expected in ((timedelta(0), 100.0), (timedelta(days=2), 100.0), (timedelta(days=2, seconds=1), None)):
        site = OnlineFeatures(folder, "site", lambda later=later: NOW + later)
        assert site.read({"shop": ["a"]})["distance"] == [expected]


def test_a_key_of_another_type_is_the_requests_fault(folder: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"view stock is none of .*INT64"):
        OnlineFeatures(folder, "all").read({"shop": ["a"], "item": ["one"]})


def test_many_rows_are_asked_for_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shops = [f"nobody-{number}" for number in range(1100)] + ["a", None, "b", "a"]
    found = OnlineFeatures(folder, "site").read({"shop": shops})["distance"]
    assert found == [None] * 1100 + [100.0, None, 250.5, 100.0]


def test_a_repository_that_cannot_be_asked_is_told(tmp_path: Path) -> None:
    folder = online_store.repository(tmp_path / "store")
    for service in ("", "nothing"):
        with pytest.raises(InvalidSpec, match=r"'all', 'site', 'sold_from'"):
            OnlineFeatures(folder, service)
    with pytest.raises(FeaturesUnavailable, match="absent"):
        OnlineFeatures(tmp_path / "absent")
    features = OnlineFeatures(folder, "site")
    (folder / "online.db").write_bytes(b"no database" * 100)
    with pytest.raises(FeaturesUnavailable, match="feature view site"):
        features.read({"shop": ["a"]})


def test_what_is_computed_on_demand_is_refused(tmp_path: Path) -> None:
    folder = online_store.repository(tmp_path / "store")
    source = RequestSource(name="asked", schema=[Field(name="factor", dtype=Float32)])

    @on_demand_feature_view(sources=[SITE, source], schema=[Field(name="scaled", dtype=Float64)], mode="python")
    def scaled(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"scaled": inputs["distance"]}

    store = FeatureStore(repo_path=str(folder))
    store.apply([scaled, online_store.FeatureService(name="computed", features=[SITE, scaled])])
    with pytest.raises(InvalidSpec, match="computes scaled on demand"):
        OnlineFeatures(folder, "computed")
