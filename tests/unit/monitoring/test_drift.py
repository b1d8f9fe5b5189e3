"""Drift: what is more than chance and more than a trifle; decisions, quality, skew and published figures."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from scipy.stats import ks_2samp
from seaway import tasks
from seaway.errors import DataUnreadable, InvalidSpec, MetricsUnavailable, StorageCorrupted
from seaway.models import Signature, TensorSpec
from seaway.monitoring import DriftSpec, RetrainingPolicy, check_skew, decide, significance, skew, training_rows
from seaway.monitoring.drift import ColumnDrift, DriftReport, _judge
from seaway.monitoring.export import HELP, of_drift, of_quality, of_skew, publish
from seaway.monitoring.live_quality import QualityReport, QualitySpec
from seaway.monitoring.live_quality import quality as quality_of
from seaway.serving import FeatureLog

DAY0 = pd.Timestamp("2013-01-01", tz="UTC")
NOW = DAY0 + pd.Timedelta(days=60)


def independent(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=rows), np.sort(rng.integers(0, 30, rows))


def by_day(rows: int, days: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of one day share that day's weather, which is like the day's before."""
    rng = np.random.default_rng(seed)
    weather = np.zeros(days)
    for day in range(1, days):
        weather[day] = 0.5 * weather[day - 1] + rng.normal()
    day = np.sort(rng.integers(0, days, rows))
    return weather[day] + shift + 0.1 * rng.normal(size=rows), day


def test_independent_rows_count_as_many_and_shared_weather_as_days() -> None:
    assert significance.design_effect(*independent(3000, 0)) < 2
    values, days = by_day(3000, 30, 0)
    assert 3000 / significance.design_effect(values, days) < 40


def test_without_a_design_effect_the_test_is_that_of_kolmogorov_and_smirnov() -> None:
    first, second = (np.random.default_rng(seed).normal(size=500) for seed in (0, 1))
    alone = np.arange(500)  # a row a day
    found = significance.of_numbers(first, second, alone, alone)
    assert found >= ks_2samp(first, second, method="asymp").pvalue * 0.5


def test_two_halves_of_autocorrelated_weather_are_alike_where_a_plain_test_finds_them_different() -> None:
    """The rates over 60 splits; Holm's correction comes on top of this."""
    plain, corrected = 0, 0
    for seed in range(60):
        values, days = by_day(2000, 30, seed)
        first, second = days < 15, days >= 15
        plain += ks_2samp(values[first], values[second]).pvalue < 0.05
        corrected += significance.of_numbers(values[first], values[second], days[first], days[second]) < 0.05
    assert plain > 50
    assert corrected <= 9


def test_a_shift_of_the_weather_is_found() -> None:
    first, days = by_day(2000, 30, 0)
    second, later = by_day(2000, 30, 1, shift=5.0)
    assert significance.of_numbers(first, second, days, later) < 1e-4


def test_categories_are_compared_by_their_shares() -> None:
    rng = np.random.default_rng(0)
    days = np.sort(rng.integers(0, 30, 2000))
    even, skewed = (rng.choice(list("abc"), 2000, p=shares) for shares in ([0.4, 0.3, 0.3], [0.7, 0.2, 0.1]))
    again = rng.choice(list("abc"), 2000, p=[0.4, 0.3, 0.3])
    assert significance.of_categories(even, skewed, days, days) < 1e-6
    assert significance.of_categories(even, again, days, days) > 0.01
    assert significance.of_categories(even[:5], np.array(["d"] * 5), days[:5], days[:5]) < 0.5


@given(st.dictionaries(st.text(min_size=1), st.floats(0, 1), min_size=1, max_size=20))
def test_holm_never_makes_a_p_value_smaller_and_keeps_the_order(p_values: Mapping[str, float]) -> None:
    corrected = significance.holm(p_values)
    assert corrected.keys() == p_values.keys()
    assert all(p <= corrected[name] <= min(1, p * len(p_values)) for name, p in p_values.items())
    ordered = sorted(p_values, key=lambda name: p_values[name])
    assert [corrected[name] for name in ordered] == sorted(corrected.values())


def test_p_values_are_those_of_holms_own_example() -> None:
    """Holm 1979, section 2: the smallest counts for all, the next for one fewer, and none falls below one before it."""
    corrected = significance.holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert corrected == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})


def test_rows_that_keep_each_other_in_balance_count_no_more_than_they_are() -> None:
    days = np.arange(100)
    assert significance.design_effect(np.where(days % 2, 1.0, -1.0), days) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [{"numeric": []}, {"numeric": ["x", "x"]}, {"numeric": ["prediction"]}, {"effect": 0.0}, {"level": 2}, {"rows": 0}],
)
def test_a_spec_that_compares_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        DriftSpec(**{"numeric": ["x"], **wrong})


def report(**drifted: bool) -> DriftReport:
    columns = [ColumnDrift(name, 0.5 if bad else 0.01, 0.001, bad) for name, bad in drifted.items()]
    return DriftReport(columns, limit=0.2, days=(30, 30), rows=(100, 100))


def test_drifted_predictions_raise_an_alarm_alone_and_a_feature_among_many_does_not() -> None:
    features = {f"x{number}": False for number in range(9)}
    assert report(prediction=True, **features).alarm
    assert not report(**{**features, "x0": True}).alarm
    assert report(**{**features, "x0": True, "x1": True}).alarm


def test_the_share_that_is_named_is_enough() -> None:
    features = {f"x{number}": number < 2 for number in range(10)}
    assert report(**features).alarm


def test_a_difference_that_is_only_sure_or_only_large_is_no_drift() -> None:
    day = pd.DataFrame({"event_timestamp": [DAY0]})
    chances, distances = {"sure": 1e-9, "large": 0.9, "both": 1e-9}, {"sure": 0.05, "large": 0.5, "both": 0.5}
    assert _judge((day, day), chances, distances, DriftSpec(list(chances))).drifted == ["both"]


def test_a_feature_that_is_missing_more_often_counts_once() -> None:
    found = report(**{"a": True, "a is missing": True, "b": False})
    assert found.share == 0.5


def rows(count: int, seed: int, sharp: float = 2.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=count)
    late = rng.random(count) < 1 / (1 + np.exp(-score))
    at = DAY0 + pd.to_timedelta(np.sort(rng.uniform(0, 30 * 86400, count)), unit="s")
    times = {"event_timestamp": at, "label_timestamp": at + pd.Timedelta(hours=4)}
    return pd.DataFrame({**times, "late": late.astype("int8"), "prediction": 1 / (1 + np.exp(-score * sharp / 2))})


LATE = tasks.of(tasks.Target("binary", "late"))


def measured(rows: pd.DataFrame, tested: Mapping[str, float], spec: QualitySpec, now: pd.Timestamp) -> QualityReport:
    return quality_of(rows, rows["prediction"].to_numpy(), LATE, tested, spec, now)


TESTED = {"test_roc_auc": 0.75, "test_log_loss": 0.58}


def test_a_model_that_is_as_good_as_tested_raises_no_alarm_and_a_guessing_one_does() -> None:
    good = measured(rows(4000, 0), TESTED, QualitySpec(), NOW)
    assert (good.worse, good.labelled, good.delay_s) == ([], 4000, 4 * 3600)
    guessing = rows(4000, 0).assign(prediction=np.random.default_rng(1).random(4000))
    assert measured(guessing, TESTED, QualitySpec(), NOW).worse == ["roc_auc", "log_loss"]


def test_labels_count_once_they_are_known() -> None:
    found = measured(rows(4000, 0), TESTED, QualitySpec(), DAY0 + pd.Timedelta(days=15))
    assert 1500 < found.labelled < 2500
    assert measured(rows(4000, 0), TESTED, QualitySpec(), DAY0).figures == {}


def test_few_labels_are_wide_intervals_and_no_alarm() -> None:
    few = rows(130, 3).assign(prediction=np.random.default_rng(5).random(130) * 0.2 + 0.4)
    assert measured(few, {"test_roc_auc": 0.55}, QualitySpec(), NOW).worse == []


def test_without_tested_figures_nothing_is_worse() -> None:
    found = measured(rows(4000, 0), {}, QualitySpec(), NOW)
    assert (found.worse, found.figures["roc_auc"].tested) == ([], None)


def checked(alarm: bool = False, worse: tuple[str, ...] = (), labelled: int = 5000) -> dict[str, Any]:
    return {"drift": {"alarm": alarm}, "quality": {"worse": list(worse), "labelled": labelled}, "summary": "as found"}


@pytest.mark.parametrize(
    ("check", "policy", "skewed", "wanted"),
    [
        (checked(), RetrainingPolicy(), (), False),
        (checked(alarm=True), RetrainingPolicy(), (), True),
        (checked(worse=("roc_auc",)), RetrainingPolicy(), (), True),
        (checked(alarm=True), RetrainingPolicy(["quality"]), (), False),
        (checked(alarm=True, labelled=10), RetrainingPolicy(), (), False),
        (checked(alarm=True), RetrainingPolicy(), ("temp",), False),
    ],
)
def test_a_retraining_wants_a_trigger_labels_and_no_skew(
    check: Mapping[str, Any], policy: RetrainingPolicy, skewed: tuple[str, ...], wanted: bool
) -> None:
    decided = decide(check, policy, skewed)
    assert decided.wanted is wanted
    assert "as found" in decided.reason


def test_a_decision_needs_a_known_trigger_and_a_whole_check() -> None:
    with pytest.raises(InvalidSpec, match="drift, quality"):
        RetrainingPolicy(["weather"])
    with pytest.raises(DataUnreadable, match="drift"):
        decide({}, RetrainingPolicy())


EXAMPLES = pd.DataFrame(
    {
        "flight_id": [f"f{number}" for number in range(50)],
        "id": [f"f{number}" for number in range(50)],
        "temp": np.linspace(20, 90, 50).astype("float32"),
        "gust": [math.nan, *np.linspace(1, 2, 49)],
        "carrier": pd.array(["AA", "B6"] * 25, "string"),
    }
)


SIGNATURE = Signature(
    "m",
    (TensorSpec("temp", "FP32"), TensorSpec("gust", "FP32"), TensorSpec("carrier", "BYTES")),
    (TensorSpec("p", "FP32"),),
)


def logged(folder: Path, served: pd.DataFrame) -> str:
    log = FeatureLog(str(folder), SIGNATURE, "v1")
    for row in served.to_dict("records"):
        log.append(row["flight_id"], {spec.name: [row[spec.name]] for spec in SIGNATURE.inputs}, [0.5])
    log.close()
    return str(folder)


def test_what_was_served_as_trained_has_no_skew(tmp_path: Path) -> None:
    EXAMPLES.to_parquet(tmp_path / "examples.parquet")
    served = EXAMPLES.assign(temp=EXAMPLES["temp"].astype(float).round(4)).head(30)
    found = check_skew(logged(tmp_path / "log", served), tmp_path / "examples.parquet", ["flight_id"], tmp_path / "out")
    assert (found.skewed, found.compared, found.logged) == ([], 30, 30)


def test_without_a_log_nothing_is_compared_and_nothing_published(tmp_path: Path) -> None:
    EXAMPLES.to_parquet(tmp_path / "examples.parquet")
    found = check_skew("", tmp_path / "examples.parquet", ["flight_id"], tmp_path / "out")
    assert (found.skewed, found.summary) == ([], "requests are not logged")
    assert publish("flights", "skew", of_skew(found), tmp_path / "figures") == {}
    assert not (tmp_path / "figures").exists()
    assert "requests are not logged" in (tmp_path / "out" / "skew.html").read_text()


def test_a_changed_feature_is_named_with_rows(tmp_path: Path) -> None:
    """Degrees Celsius where the model was trained on Fahrenheit, and a lost category."""
    EXAMPLES.to_parquet(tmp_path / "examples.parquet")
    served = EXAMPLES.assign(temp=(EXAMPLES["temp"] - 32) / 1.8)
    served.loc[:9, "carrier"] = None
    found = check_skew(logged(tmp_path / "log", served), tmp_path / "examples.parquet", ["flight_id"], tmp_path / "out")
    assert found.skewed == ["temp", "carrier"]
    assert found.features[2].share == pytest.approx(0.2)
    assert found.features[0].examples[0][0] == "f0"
    assert "temp" in (tmp_path / "out" / "skew.html").read_text()


def test_a_difference_of_one_in_ten_thousand_is_skew_and_one_of_rounding_is_none() -> None:
    rounded, other = (EXAMPLES.assign(temp=EXAMPLES["temp"].astype(float) * share) for share in (1 + 3e-6, 1 + 1e-4))
    assert skew(rounded[["id", "temp", "gust"]], EXAMPLES).skewed == []
    assert skew(other[["id", "temp", "gust"]], EXAMPLES).skewed == ["temp"]


def test_a_log_of_other_rows_is_no_evidence(tmp_path: Path) -> None:
    EXAMPLES.assign(flight_id=[f"g{number}" for number in range(50)]).to_parquet(tmp_path / "examples.parquet")
    served = EXAMPLES.assign(flight_id=EXAMPLES["flight_id"].where(EXAMPLES.index < 40, None))
    with pytest.raises(DataUnreadable, match="None of 50 served rows, 40 of them with an id"):
        check_skew(logged(tmp_path / "log", served), tmp_path / "examples.parquet", ["flight_id"], tmp_path / "out")


@pytest.mark.parametrize(("keys", "match"), [([], "named by"), (["tail"], "named by"), (["carrier"], "more keys")])
def test_rows_are_compared_only_where_the_keys_name_them(tmp_path: Path, keys: list[str], match: str) -> None:
    EXAMPLES.to_parquet(tmp_path / "examples.parquet")
    with pytest.raises(DataUnreadable, match=match):
        check_skew(logged(tmp_path / "log", EXAMPLES), tmp_path / "examples.parquet", keys, tmp_path / "out")


def test_several_keys_are_the_id_together(tmp_path: Path) -> None:
    EXAMPLES.to_parquet(tmp_path / "examples.parquet")
    served = EXAMPLES.assign(flight_id=EXAMPLES["carrier"] + "/" + EXAMPLES["flight_id"])
    keys = ["carrier", "flight_id"]
    found = check_skew(logged(tmp_path / "log", served), tmp_path / "examples.parquet", keys, tmp_path / "out")
    assert (found.compared, found.skewed) == (50, [])


def test_training_rows_are_found_by_their_hash_and_by_nothing_else(tmp_path: Path) -> None:
    EXAMPLES.to_parquet(tmp_path / "train.parquet")
    place = str(tmp_path / "references")
    kept = Path(training_rows.keep(tmp_path / "train.parquet", place))
    assert training_rows.find(kept.stem, place).read_bytes() == (tmp_path / "train.parquet").read_bytes()
    with pytest.raises(DataUnreadable, match="package the model again"):
        training_rows.find("0" * 64, place)
    kept.write_bytes(b"other rows")
    with pytest.raises(StorageCorrupted):
        training_rows.find(kept.stem, place)


def test_figures_are_published_as_prometheus_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEAWAY_PUSHGATEWAY_URL", raising=False)
    samples = [
        *of_drift(report(a=True, prediction=False)),
        *of_quality(measured(rows(400, 0), TESTED, QualitySpec(), NOW)),
        *of_skew(skew(EXAMPLES[["id", "temp"]], EXAMPLES)),
    ]
    figures = publish("flights", "drift", samples, tmp_path)
    text = (tmp_path / "seaway_flights_drift.prom").read_text()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families.keys() == HELP.keys()
    assert families["seaway_drift_alarm"].samples[0].value == figures["seaway_drift_alarm"] == 1
    assert all(sample.labels["model"] == "flights" for family in families.values() for sample in family.samples)
    assert json.dumps(figures)


def test_a_pushgateway_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_PUSHGATEWAY_URL", "http://127.0.0.1:1")
    with pytest.raises(MetricsUnavailable, match="Pushgateway"):
        publish("flights", "drift", of_drift(report(a=False)), tmp_path)
