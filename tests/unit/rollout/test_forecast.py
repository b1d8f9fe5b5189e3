"""What a budget can decide is said before a rollout, and is what the judge then does."""

import json
from dataclasses import replace

import pytest
from seaway.cli.app import app
from seaway.errors import InvalidSpec
from seaway.rollout import Bounds, Policy, Step
from seaway.rollout.forecast import Load, forecast, worst_safe
from seaway.rollout.judge.autocorrelation import Prior
from typer.testing import CliRunner

POLICY = Policy(errors=Bounds(0.0, 0.02, share=3.0), budget=6_000)
LOAD = Load(0.01, steps=(Step(25, 400), Step(50, 800), Step(100, 800)), shadow=0.5)


def test_equal_candidates_are_promoted_and_bad_ones_rolled_back() -> None:
    equal, margin, bad = forecast(POLICY, LOAD, (0.01, worst_safe(POLICY, 0.01), 0.08))
    assert equal.promoted > 0.9
    assert margin.promoted <= 0.15
    assert bad.rolled_back > 0.98
    assert bad.requests < equal.requests <= POLICY.budget + 120


def test_nothing_is_promoted_before_its_steps_have_had_their_requests() -> None:
    [equal] = forecast(replace(POLICY, errors=Bounds(0.0, 0.5, share=3.0)), LOAD, (0.01,))
    assert equal.promoted == 1
    assert equal.requests == 15 * 120


def test_a_small_budget_a_high_rate_or_a_noisy_endpoint_end_undecided() -> None:
    [short] = forecast(replace(POLICY, budget=600), LOAD, (0.01,))
    [common] = forecast(POLICY, replace(LOAD, error_rate=0.2), (0.2,))
    [noisy] = forecast(POLICY, LOAD, (0.01,), Prior(200, 20.0))
    for outcome in (short, common, noisy):
        assert outcome.undecided > 0.7
        assert outcome.promoted + outcome.rolled_back + outcome.undecided == pytest.approx(1)


def test_a_relative_margin_is_of_the_odds() -> None:
    assert worst_safe(POLICY, 0.01) == pytest.approx(0.03)
    odds = 1.5 * 0.1 / 0.9
    assert worst_safe(replace(POLICY, errors=Bounds(0.0, 0.5, relative=True)), 0.1) == pytest.approx(odds / (1 + odds))


def test_an_impossible_load_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="error rate"):
        Load(1.0)


def test_the_command_names_a_budget_that_decides_nothing() -> None:
    words = ["rollout", "plan", "--error-rate", "0.1", "--budget", "2000"]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0
    assert "does not decide this margin" in shown.output
    told = json.loads(CliRunner().invoke(app, [*words, "--output", "json"]).output)
    assert [round(outcome["error_rate"], 3) for outcome in told] == [0.1, 0.11, 0.12]
    assert told[0]["undecided"] > 0.5
