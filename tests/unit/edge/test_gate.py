"""The gate of a model for a device: each rule is held against its figure, and says which rows differ most."""

from typing import Any

import numpy as np
import pytest
from seaway import tasks
from seaway.edge import EdgeGate
from seaway.edge.page import best
from seaway.edge.parity import parity
from seaway.errors import InvalidSpec

BINARY = tasks.of(tasks.Target("binary", "good"))


def found(other: np.ndarray | None = None, **changes: Any) -> dict[str, Any]:
    answers = np.linspace(0.01, 0.99, 100)[:, None]
    labels = np.arange(100) >= 40
    compared = parity(answers, answers if other is None else other, BINARY, labels).to_json()
    figures = {"p50_ms": 2.0, "p99_ms": 5.0, "peak_memory_bytes": 50e6}
    original = {"size_bytes": 4e6, "p50_ms": 1.0}
    return {"size_bytes": 1e6, "figures": figures, "original": original, "parity": compared, **changes}


@pytest.mark.parametrize(
    ("rule", "met", "missed"),
    [
        ("min_rows", 100, 101), ("max_size_mb", 1.0, 0.9), ("min_times_smaller", 4, 4.1), ("max_p50_ms", 2.0, 1.9),
        ("max_p99_ms", 5.0, 4.9), ("max_times_slower", 2.0, 1.9), ("max_memory_mb", 50, 49), ("max_difference", 0, -1),
        ("max_flips", 0, -1), ("max_loss", 0, -1),
    ],
)  # fmt: skip
def test_a_rule_is_met_up_to_its_bound(rule: str, met: float, missed: float) -> None:
    assert [one.passed for one in EdgeGate({rule: met}).check(found())] == [True]
    (outcome,) = EdgeGate({rule: missed}).check(found())
    assert not outcome.passed
    assert "is wanted" in outcome.says


def test_a_rule_of_parity_that_is_missed_names_the_rows_that_differ_most() -> None:
    other = np.linspace(0.01, 0.99, 100)[:, None]
    other[42] = 0.9
    (outcome,) = EdgeGate({"max_flips": 0.001}).check(found(other))
    assert "differ most: 42 (" in outcome.says


def test_a_loss_counts_at_the_unlucky_end_of_its_interval() -> None:
    other = np.linspace(0.01, 0.99, 100)[:, None]
    other[[30, 60]] = other[[60, 30]]
    told = found(other)
    gap = told["parity"]["metric"]["difference"]
    assert not EdgeGate({"max_loss": -gap["value"]}).check(told)[0].passed
    assert EdgeGate({"max_loss": -gap["low"]}).check(told)[0].passed


def test_answers_that_are_not_finite_pass_no_gate_not_even_one_without_rules() -> None:
    other = np.linspace(0.01, 0.99, 100)[:, None]
    other[3] = np.nan
    (outcome,) = EdgeGate().check(found(other))
    assert not outcome.passed
    assert "1 of 100 rows" in outcome.says
    assert "3 (not finite)" in outcome.says
    assert not EdgeGate({"max_difference": 1e9}).check(found(other))[0].passed


@pytest.mark.parametrize("rules", [{"max_speed": 1}, {"max_flips": float("nan")}, {"max_flips": True}])
def test_a_rule_that_is_none_is_refused(rules: dict[str, float]) -> None:
    with pytest.raises(InvalidSpec, match=r"max_speed|max_flips"):
        EdgeGate(rules)


def test_on_the_front_is_what_nothing_beats_in_all_three() -> None:
    slow = found(figures={"p50_ms": 3.0, "p99_ms": 5.0, "peak_memory_bytes": 1})
    small = found(size_bytes=2e5, figures={"p50_ms": 9.0, "p99_ms": 9.0, "peak_memory_bytes": 1})
    assert best([found(), slow, small]) == [True, False, True]
