"""Sources and rows as people write them are built right, or refused with the view and the column."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import small_features
from feast import ValueType
from seaway.errors import DataUnreadable, FeaturesUnavailable
from seaway.features import SplitSpec, build, training_examples
from seaway.features.repository import open_store
from small_features import AT, ENTITIES, NAMES, ROWS, SHOPS, TIMES, A, B

DEFINITIONS = "small_features:PROJECT"
PRICES = [float(ROWS - SHOPS + shop) for shop in range(SHOPS)]  # the last of each shop


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Build a project, its examples, and give the price that the online store has for each key, and the examples."""

    def run(keys: Any = None, **changes: Any) -> tuple[list[Any], pd.DataFrame]:
        monkeypatch.setattr(small_features, "PROJECT", small_features.project(**changes), raising=False)
        assert build(tmp_path, DEFINITIONS, tmp_path / "repository").views == ("a", "b")
        files = {name: tmp_path / f"{name}.parquet" for name in SplitSpec().fractions}
        training_examples(tmp_path / "repository", tmp_path, SplitSpec(), files)
        shops = keys or [f"s{shop}" for shop in range(SHOPS)]
        online = open_store(tmp_path / "repository").get_online_features(["a:price"], [{"shop": one} for one in shops])
        return online.to_dict()["price"], pd.concat([pd.read_parquet(file) for file in files.values()])

    return run


@pytest.fixture(scope="module")
def expected() -> list[float]:
    """Of each row, the price as it stood: that of the shop's last row within the hour before."""
    last = [max(past for past in range(row + 3) if past % SHOPS == row % SHOPS and past < ROWS) for row in range(ROWS)]
    return [float(one) for one in last]


@pytest.mark.parametrize(
    "times",
    [
        TIMES,
        TIMES.astype("datetime64[ns, UTC]"),
        TIMES.astype("datetime64[ms, UTC]"),
        TIMES.dt.tz_localize(None),
        TIMES.dt.tz_localize(None).astype("datetime64[ns]"),
        TIMES.dt.tz_convert("Europe/Paris"),  # its clocks change on the second day
        TIMES.astype(str),
        TIMES.map(lambda time: time.isoformat()).astype("category"),
        TIMES.astype("category"),
        [(time.tz_convert("Asia/Tokyo") if row % 2 else time).isoformat() for row, time in enumerate(TIMES)],
    ],
    ids=["us", "ns", "ms", "naive us", "naive ns", "a zone", "text", "categories of text", "categories", "zones"],
)
def test_times_of_any_form_are_the_same_times(built: Any, expected: list[float], times: Any) -> None:
    prices, examples = built(a=A.assign(t=times))
    assert prices == PRICES
    assert examples.sort_values("event_timestamp")["price"].tolist() == expected


@pytest.mark.parametrize(
    "form", [str, lambda time: time.tz_localize(None), lambda time: time], ids=["text", "naive", "ns"]
)
def test_times_of_entity_rows_may_have_any_form_too(built: Any, expected: list[float], form: Any) -> None:
    times = AT.astype("datetime64[ns, UTC]").map(form)
    _, examples = built(entities=ENTITIES.assign(event_timestamp=times, label_timestamp=times))
    assert examples.sort_values("event_timestamp")["price"].tolist() == expected
    assert str(examples["event_timestamp"].dtype) == "datetime64[us, UTC]"


def test_a_date_is_the_beginning_of_its_day_in_utc(built: Any) -> None:
    prices, examples = built(a=A.assign(t=TIMES.dt.date), ttl=timedelta(days=7))
    assert all(price is not None for price in prices)
    assert examples["price"].notna().all()


def test_rows_without_a_key_or_a_time_are_nobodys(built: Any) -> None:
    keyless = A.assign(shop=[None if row % 4 == 0 else name for row, name in enumerate(NAMES)])
    keyless.loc[1, "t"] = None
    prices, examples = built(a=keyless)
    assert prices == [max(row for row in range(ROWS) if row % SHOPS == shop and row % 4) for shop in range(SHOPS)]
    assert len(examples) == ROWS


def test_integer_keys_of_which_one_is_missing_stay_integers(built: Any) -> None:
    numbers = pd.Series([row % SHOPS for row in range(ROWS)])
    a = A.assign(shop=numbers.where(numbers.index != 0))  # floats, by pandas
    prices, _ = built(
        a=a,
        b=B.assign(shop=numbers),
        entities=ENTITIES.assign(shop=numbers),
        key=ValueType.INT64,
        keys=list(range(SHOPS)),
    )
    assert prices == PRICES


def test_floats_that_are_not_there_are_no_key_though_a_files_statistics_leave_them_out(built: Any) -> None:
    """As PyArrow writes them: NaN, which is not null, and no null beside it."""
    numbers = np.array([row % SHOPS for row in range(ROWS)])
    floats = np.where(numbers == 1, np.nan, numbers)
    prices, examples = built(
        a=pa.table({"shop": floats, "t": TIMES, "price": A["price"]}),
        b=B.assign(shop=numbers),
        entities=ENTITIES.assign(shop=numbers),
        key=ValueType.INT64,
        keys=list(range(SHOPS)),
    )
    assert prices == [PRICES[0], None, *PRICES[2:]]
    assert examples["price"].isna().sum() == ROWS // SHOPS


@pytest.mark.parametrize("first", [0, 2**60])
def test_decimals_without_a_fraction_are_exact_keys(built: Any, first: int) -> None:
    numbers = [first + row % SHOPS for row in range(ROWS)]
    prices, examples = built(
        a=pa.table({"shop": pa.array(map(Decimal, numbers), pa.decimal128(30, 0)), "t": TIMES, "price": A["price"]}),
        b=B.assign(shop=numbers),
        entities=ENTITIES.assign(shop=numbers),
        key=ValueType.INT64,
        keys=[first + shop for shop in range(SHOPS)],
    )
    assert prices == PRICES
    assert examples["price"].notna().all()


def whole(values: Any, key: ValueType = ValueType.INT64) -> dict[str, Any]:
    """A project whose keys are declared as whole numbers, and these in view `a`."""
    numbers = [row % SHOPS for row in range(ROWS)]
    own = A.assign(shop=values(np.array(numbers)))
    return {"a": own, "b": B.assign(shop=numbers), "entities": ENTITIES.assign(shop=numbers), "key": key}


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta.max, timedelta(hours=6, microseconds=5)])
def test_a_time_to_live_may_be_none_for_ever_or_uneven(built: Any, ttl: timedelta) -> None:
    assert built(ttl=ttl)[0] == PRICES


def test_a_view_of_which_nothing_is_valid_any_more_is_told(built: Any, caplog: pytest.LogCaptureFixture) -> None:
    built(a=A.assign(t=TIMES + pd.Timedelta("300D")))
    assert "has no value of feature view b: its last is of 2024-04-03 03:30:00" in caplog.text
    assert "feature view a" not in caplog.text


def test_rows_of_one_key_and_time_that_differ_are_told(built: Any, caplog: pytest.LogCaptureFixture) -> None:
    built(a=pd.concat([A, A.iloc[:7].assign(price=-1.0), A.iloc[:9]]))
    assert "Feature view a has 7 rows that differ from another of the same shop, t" in caplog.text
    assert "Feature view b" not in caplog.text


def test_rows_without_a_key_are_told(built: Any, caplog: pytest.LogCaptureFixture) -> None:
    built(a=A.assign(shop=[None if row < 3 else name for row, name in enumerate(NAMES)]))
    assert "3 rows of feature view a have no key (shop)" in caplog.text


@pytest.mark.parametrize("far", ["2261-12-31", "9999-12-31"])
def test_a_row_far_in_the_future_is_not_yet_anybodys_value(built: Any, far: str) -> None:
    times = [*TIMES[:-1].dt.to_pydatetime(), pd.Timestamp(far, tz="UTC").as_unit("us").to_pydatetime()]
    prices, examples = built(
        a=pa.table({"shop": NAMES, "t": pa.array(times, pa.timestamp("us", "UTC")), "price": A["price"]})
    )
    assert prices == [*PRICES[:-1], PRICES[-1] - SHOPS]
    assert len(examples) == ROWS


def moments(*microseconds: int) -> pa.Table:
    """Prices whose first times are these, counted from 1970."""
    times = [*microseconds, *(time.value // 1000 for time in TIMES.astype("datetime64[ns, UTC]")[len(microseconds) :])]
    return pa.table({"shop": NAMES, "t": pa.array(times, pa.timestamp("us", "UTC")), "price": A["price"]})


@pytest.mark.parametrize("year", [1, 1500, 1676])
def test_a_row_before_all_calendars_of_pandas_is_an_old_row(built: Any, expected: list[float], year: int) -> None:
    first = datetime(year, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    prices, examples = built(a=moments(first // timedelta(microseconds=1)))
    assert prices == PRICES
    assert examples.sort_values("event_timestamp")["price"].isna().sum() == expected.count(0.0) == 1


NEVER = pd.Timestamp("2025-01-01", tz="UTC")


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_date_that_stands_for_never_and_is_past_empties_no_view_unsaid(built: Any, name: str) -> None:
    frame = {"a": A, "b": B}[name]
    with pytest.raises(FeaturesUnavailable, match=rf"Column t of feature view {name} ends at 2025.* 1 of {SHOPS} keys"):
        built(**{name: frame.assign(t=[*TIMES[:-1], NEVER])})


def test_a_snapshot_of_all_keys_long_after_the_others_is_the_end_of_the_data(built: Any) -> None:
    prices, _ = built(a=A.assign(t=[*TIMES[:-SHOPS], *[NEVER] * SHOPS]))
    assert prices == PRICES


def test_numbers_of_any_type_are_numbers(built: Any) -> None:
    for values in (pa.array([Decimal(row) for row in range(ROWS)]), pa.array(range(ROWS), pa.int32())):
        prices, _ = built(a=pa.table({"shop": NAMES, "t": TIMES, "price": values}))
        assert prices == PRICES


def twice(frame: pd.DataFrame, name: str) -> pa.Table:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table.append_column(name, table[name])


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"a": A.drop(columns="price")}, FeaturesUnavailable, r"view a has no column price; it has: shop, t"),
        ({"a": A.drop(columns="t")}, FeaturesUnavailable, r"a has no column t|small.*\bt\b"),
        ({"a": twice(A, "price")}, FeaturesUnavailable, r"view a has 2 columns price"),
        ({"a": A.assign(t=range(ROWS))}, FeaturesUnavailable, r"Column t of feature view a holds int64"),
        ({"a": A.assign(t=["2024-03-30", "soon"] * (ROWS // 2))}, FeaturesUnavailable, "view a holds 'soon'"),
        ({"a": A.assign(t=pd.Series([pd.NaT] * ROWS, dtype="datetime64[us, UTC]"))}, FeaturesUnavailable, "no rows"),
        ({"a": A.assign(price="dear")}, FeaturesUnavailable, r"price of feature view a holds string .* FLOAT32"),
        ({"a": A.assign(shop=range(ROWS))}, FeaturesUnavailable, r"shop of feature view a holds int64 .* STRING"),
        ({"ttl": timedelta(hours=-1)}, FeaturesUnavailable, r"view a has a time-to-live of -1 day"),
        ({"entities": ENTITIES.assign(shop=range(ROWS))}, DataUnreadable, r"Key shop .* int64, .* view a .* string"),
        ({"entities": ENTITIES.drop(columns="shop")}, DataUnreadable, r"lack.* shop"),
        ({"entities": ENTITIES.assign(price=1.0)}, DataUnreadable, r"column price, and feature view a"),
        ({"entities": ENTITIES.assign(event_timestamp="soon")}, DataUnreadable, r"event_timestamp .*soon"),
        ({"entities": ENTITIES.assign(event_timestamp=7)}, DataUnreadable, r"event_timestamp .*int64"),
        ({"entities": ENTITIES.assign(sold="yes")}, DataUnreadable, r"label 'sold' holds 1 names \(yes\)"),
        ({"entities": twice(ENTITIES, "sold")}, DataUnreadable, r"more than one column sold"),
        ({"a": moments(-(10**17))}, FeaturesUnavailable, r"Column t of feature view a holds '1200-.*BC.* no time"),
        ({"a": pa.table({"shop": NAMES, "t": pa.array([10**13] * ROWS, pa.timestamp("s")), "price": A["price"]})},
         FeaturesUnavailable, r"Column t of feature view a holds what is no time of the years"),
        ({"a": A.assign(shop=None)}, FeaturesUnavailable, r"view a has no rows with a key \(shop\)"),
        ({"a": A.assign(PRICE=0.0)[["shop", "t", "PRICE", "price"]]}, FeaturesUnavailable, "PRICE and price, .* case"),
        (whole(lambda keys: keys + 0.5), FeaturesUnavailable, r"shop of feature view a holds 0.5 as float64"),
        (whole(lambda keys: keys + 2.0**60), FeaturesUnavailable, r"shop of feature view a holds 1.15.*no exact INT64"),
        (whole(lambda keys: np.where(keys, keys, np.inf)), FeaturesUnavailable, r"shop of feature view a holds inf"),
        (whole(lambda keys: keys + 2**40, ValueType.INT32), FeaturesUnavailable, r"shop .* 1099.* no exact INT32"),
        ({"entities": ENTITIES.assign(Shop="x")}, DataUnreadable, r"Shop, shop, which differ in case only"),
        ({"entities": ENTITIES.assign(**{"": 1})}, DataUnreadable, r"column ''; give it a name"),
        ({"entities": ENTITIES.assign(__seaway0=1)}, DataUnreadable, r"column '__seaway0'.* not begin with __seaway"),
        ({"entities": pa.table({**ENTITIES, "event_timestamp": pa.array([10**12] * ROWS, pa.timestamp("s", "UTC"))})},
         DataUnreadable, r"event_timestamp .*year 33658"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_told_with_view_and_column(built: Any, changes: Any, error: Any, told: str) -> None:
    with pytest.raises(error, match=told):
        built(**changes)


def test_missing_values_are_missing(built: Any) -> None:
    prices, examples = built(a=A.assign(price=np.nan))
    assert [price is None or np.isnan(price) for price in prices] == [True] * SHOPS
    assert examples["price"].isna().all()
