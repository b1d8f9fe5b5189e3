"""Parity as statistics: what differs is found, counted with an interval, and named."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from seaway import tasks
from seaway.edge.parity import parity, wilson

ROWS = 400
BINARY = tasks.of(tasks.Target("binary", "good"))
CLASSES = tasks.of(tasks.Target("multiclass", "kind", classes=("a", "b", "c")))
NUMBER = tasks.of(tasks.Target("regression", "price"))


def answers(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.05, 0.95, ROWS)[:, None]


def test_the_same_answers_differ_in_nothing_and_the_interval_says_how_sure_that_is() -> None:
    found = parity(answers(), answers(), BINARY)
    assert (found.maximum, found.flips, found.not_finite) == (0.0, 0, 0)
    assert found.flip_rate is not None
    assert (found.flip_rate.low, 0.005 < found.flip_rate.high < 0.015) == (0.0, True)


def test_the_rows_that_differ_most_are_named_the_worst_first() -> None:
    other = answers()
    other[[7, 300]] = 1 - other[[7, 300]]
    found = parity(answers(), other, BINARY)
    assert {row.row for row in found.worst_rows[:2]} == {7, 300}
    assert found.worst_rows[0].difference == found.maximum >= found.worst_rows[1].difference
    assert found.flips == 2
    assert found.quantiles["0.5"] == 0.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_differs_infinitely_and_is_decided_otherwise(value: float) -> None:
    other = answers()
    other[11] = value
    found = parity(answers(), other, BINARY, answers()[:, 0] > 0.5)
    assert (found.not_finite, found.flips, found.worst_rows[0].row, found.metric) == (1, 1, 11, None)
    assert found.to_json()["maximum"] is None


def test_a_class_flips_where_another_one_is_the_likeliest() -> None:
    one = np.tile([0.5, 0.3, 0.2], (ROWS, 1))
    other = one.copy()
    other[5] = [0.3, 0.5, 0.2]
    other[6] = [0.6, 0.2, 0.2]  # another answer, and the same class
    assert parity(one, other, CLASSES).flips == 1


def test_a_number_is_no_decision() -> None:
    found = parity(answers(), answers() + 0.5, NUMBER)
    assert (found.flips, found.flip_rate) == (None, None)
    assert found.maximum == pytest.approx(0.5)


def test_the_metric_is_compared_in_pairs() -> None:
    """A loss in every row alike is sure, however widely the figure itself may lie."""
    labels = np.random.default_rng(1).random(ROWS) < answers()[:, 0]
    noisy = np.clip(answers() + 0.8 * (answers(2) - 0.5), 0.01, 0.99)
    found = parity(answers(), noisy, BINARY, labels)
    assert found.metric is not None
    assert found.metric["name"] == "roc_auc"
    assert found.metric["difference"]["high"] < 0
    own = found.metric["original"]["high"] - found.metric["original"]["low"]
    assert found.metric["difference"]["high"] - found.metric["difference"]["low"] < own


def test_the_slice_that_lost_most_comes_first() -> None:
    rows = pa.table({"place": ["north", "south", "east", "west"] * (ROWS // 4)})
    other = answers()
    other[1::4] = 1 - other[1::4]
    found = parity(answers(), other, BINARY, rows=rows, slices=["place"])
    assert (found.worst_slices[0].value, found.worst_slices[0].rows) == ("south", ROWS // 4)
    assert found.worst_slices[0].flips == found.flips


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_interval_is_wilsons(count: int, more: int) -> None:
    rows = count + more + 1
    wanted = binomtest(count, rows).proportion_ci(0.95, "wilson")
    found = wilson(count, rows)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-6)
