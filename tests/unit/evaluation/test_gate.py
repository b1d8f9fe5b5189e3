"""The gate opens only for a model that meets every rule, and says why it does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway import tasks
from seaway.errors import DataUnreadable, GateClosed, InvalidSpec
from seaway.evaluation import Gate, Outcome, read_outcomes, require_open, write_page
from seaway.evaluation.gate import summary

UNIT = st.floats(0, 1)


def evaluation(auc: float = 0.7, low: float = 0.01, high: float = 0.05, ece: float = 0.02) -> dict[str, Any]:
    part = {"name": "UA", "small": False, "roc_auc": {"value": auc - 0.1}}
    tiny = {"name": "HA", "small": True, "roc_auc": {"value": 0.1}}
    return {
        "rows": 1000,
        "task": {"name": "binary", "metrics": [{"name": "roc_auc", "title": "ROC AUC", "higher": True}]},
        "aliases": {"hourly_rate": "carrier_rate"},
        "models": {"model": {"roc_auc": {"value": auc}, "ece": {"value": ece}}},
        "differences": {"carrier_rate": {"roc_auc": {"value": (low + high) / 2, "low": low, "high": high}}},
        "slices": {"carrier": [part, tiny, {"name": "OO", "small": True, "roc_auc": None}]},
    }


@given(UNIT, UNIT)
def test_a_minimum_is_met_exactly_from_its_bound_on(auc: float, bound: float) -> None:
    assert Gate({"min_roc_auc": bound}).check(evaluation(auc=auc))[0].passed == (auc >= bound)


@given(UNIT, UNIT)
def test_a_maximum_is_met_exactly_up_to_its_bound(ece: float, bound: float) -> None:
    assert Gate({"max_ece": bound}).check(evaluation(ece=ece))[0].passed == (ece <= bound)


@given(st.floats(-0.2, 0.2), st.floats(0, 0.2), st.floats(0, 0.05))
def test_comparisons_are_decided_by_the_lower_end_of_the_interval(low: float, width: float, margin: float) -> None:
    found = evaluation(low=low, high=low + width)
    beats, no_worse = Gate({"beats:carrier_rate": 0.0, "not_worse_than:carrier_rate": margin}).check(found)
    assert beats.passed == (low > 0)
    assert no_worse.passed == (low > -margin)


@given(st.dictionaries(st.sampled_from(["min_roc_auc", "max_ece", "min_rows"]), UNIT), UNIT, UNIT)
def test_the_gate_is_open_only_if_every_rule_is_met(rules: dict[str, float], auc: float, ece: float) -> None:
    outcomes = Gate(rules).check(evaluation(auc=auc, ece=ece))
    assert summary(outcomes)["passed"] == all(outcome.passed for outcome in outcomes)
    assert [outcome.rule for outcome in outcomes] == list(rules)


def test_a_rule_may_name_a_baseline_that_was_measured_under_another_name() -> None:
    assert Gate({"beats:hourly_rate": 0.0}).check(evaluation(low=0.01))[0].passed
    assert not Gate({"beats:hourly_rate": 0.0}).check(evaluation(low=-0.01))[0].passed


def test_small_slices_do_not_close_the_gate() -> None:
    assert Gate({"min_slice_roc_auc": 0.6}).check(evaluation(auc=0.7))[0].value == pytest.approx(0.6)


def test_no_usable_slice_is_no_pass() -> None:
    found = {**evaluation(), "slices": {}}
    assert not Gate({"min_slice_roc_auc": 0.0}).check(found)[0].passed


def write(folder: Path, rules: dict[str, float]) -> Path:
    found = evaluation()
    (folder / "evaluation.json").write_text(json.dumps({**found, "gate": summary(Gate(rules).check(found))}))
    return folder


def test_a_closed_gate_names_each_rule_that_is_not_met(tmp_path: Path) -> None:
    folder = write(tmp_path, {"min_roc_auc": 0.9, "max_ece": 0.001, "min_rows": 1})
    with pytest.raises(
        GateClosed, match=r"2 of 3 rules.*min_roc_auc: 0\.7; at least 0\.9.*max_ece: 0\.02; at most 0\.001"
    ):
        require_open(read_outcomes(folder))


def test_an_open_gate_says_nothing(tmp_path: Path) -> None:
    outcomes = read_outcomes(write(tmp_path, {"min_rows": 1}))
    require_open(outcomes)
    assert [outcome.rule for outcome in outcomes] == ["min_rows"]


def shown(tmp_path: Path, rules: dict[str, float]) -> str:
    write_page(read_outcomes(write(tmp_path, rules)), tmp_path / "page.html")
    return (tmp_path / "page.html").read_text()


def test_the_page_of_a_closed_gate_begins_with_the_reason(tmp_path: Path) -> None:
    page = shown(tmp_path, {"min_rows": 1, "min_roc_auc": 0.9})
    reason = page.index("The gate stays closed: 1 of 2 rules are not met. min_roc_auc: 0.7; at least 0.9 is wanted.")
    assert reason < page.index("<table>") < page.index(">min_roc_auc<") < page.index(">min_rows<")
    assert "Every rule is met" in shown(tmp_path, {"min_rows": 1})


def test_names_of_rules_are_escaped_in_the_page(tmp_path: Path) -> None:
    outcome = Outcome("not_worse_than:<b>", passed=False, value=0.1, bound=0.2, says="<i>")
    write_page([outcome], tmp_path / "page.html")
    assert "<b>" not in (tmp_path / "page.html").read_text()


def test_a_missing_evaluation_never_opens_the_gate(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="does not exist"):
        read_outcomes(tmp_path)


@pytest.mark.parametrize("rule", ["roc_auc", "min_", "beats:", "beat:x", "most_rows", ""])
def test_an_unknown_rule_is_refused(rule: str) -> None:
    with pytest.raises(InvalidSpec, match="no rule"):
        Gate({rule: 0.5})


@pytest.mark.parametrize("rule", ["min_accuracy", "max_rows", "min_slice_brier", "beats:nobody"])
def test_a_rule_that_the_task_or_the_models_cannot_meet_is_refused_with_those_that_can(rule: str) -> None:
    with pytest.raises(InvalidSpec, match="there are: "):
        Gate({rule: 0.5}).require(tasks.of(tasks.Target("binary", "late")), {"carrier_rate"})
    Gate({"min_rows": 1, "min_slice_roc_auc": 0.5, "max_brier": 1}).require(
        tasks.of(tasks.Target("binary", "late")), ()
    )


def test_where_less_is_better_a_model_beats_another_by_less() -> None:
    found = evaluation()
    found["task"]["metrics"] = [{"name": "rmse", "title": "RMSE", "higher": False}]
    found["models"]["model"] = {"rmse": {"value": 3.0}}
    found["slices"] = {"cut": [{"name": str(rmse), "small": False, "rmse": {"value": rmse}} for rmse in (2.0, 5.0)]}
    for low, high, beats in ((-2.0, -1.0, True), (-2.0, 0.5, False), (1.0, 2.0, False)):
        found["differences"] = {"other": {"rmse": {"value": (low + high) / 2, "low": low, "high": high}}}
        first, second = Gate({"beats:other": 0.0, "not_worse_than:other": 1.0}).check(found)
        assert first.passed == beats
        assert second.passed == (high < 1.0)
    assert Gate({"max_slice_rmse": 4.0}).check(found)[0].value == 5.0


@pytest.mark.parametrize("bound", [float("nan"), float("inf"), "0.5", True, None])
def test_a_bound_that_is_no_finite_number_is_refused(bound: Any) -> None:
    with pytest.raises(InvalidSpec, match="finite number"):
        Gate({"min_roc_auc": bound})
