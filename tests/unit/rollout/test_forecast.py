"""What a budget can decide is said before a rollout, and is what the judge then does."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from seaway.cli.app import app
from seaway.errors import InvalidSpec
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.rollout import Bounds, LatencyBounds, Policy, Step
from seaway.rollout.forecast import Candidate, Load, candidates, forecast, worst_safe
from seaway.rollout.history import POINTS, History, PastRollout, Usual
from seaway.rollout.judge.autocorrelation import Prior
from typer.testing import CliRunner

POLICY = Policy(errors=Bounds(0.0, 0.02, share=3.0), latency=None, quality=None, budget=6_000)
STEPS = (Step(25, 400), Step(50, 800), Step(100, 800))
LOAD = Load(0.01, steps=STEPS, shadow=0.5)
EQUAL = Candidate("equal", 0.01)
LAST = 10 * 120  # requests of both arms at full traffic


def test_equal_candidates_are_promoted_and_bad_ones_rolled_back() -> None:
    asked = EQUAL, Candidate("worst", worst_safe(POLICY, 0.01)), Candidate("bad", 0.08)
    equal, margin, bad = forecast(POLICY, LOAD, asked)
    assert equal.promoted > 0.9
    assert margin.promoted <= 0.15
    assert bad.rolled_back > 0.98
    assert bad.requests < equal.requests <= POLICY.budget + 120 + LAST


def test_nothing_is_promoted_before_its_steps_have_had_their_requests() -> None:
    [equal] = forecast(replace(POLICY, errors=Bounds(0.0, 0.5, share=3.0)), LOAD, [EQUAL])
    assert equal.promoted == 1
    assert 15 * 120 + LAST <= equal.requests <= 16 * 120 + LAST


def test_a_small_budget_a_high_rate_or_a_noisy_endpoint_end_undecided() -> None:
    [short] = forecast(replace(POLICY, budget=600), LOAD, [EQUAL])
    [common] = forecast(POLICY, replace(LOAD, error_rate=0.3), [Candidate("equal", 0.3)])
    [noisy] = forecast(POLICY, LOAD, [EQUAL], {"errors": Prior(200, 20.0)})
    for outcome in (short, common, noisy):
        assert outcome.undecided > 0.7
        assert outcome.promoted + outcome.rolled_back + outcome.undecided == pytest.approx(1)


def test_each_margin_that_is_judged_is_asked_about_and_the_slowest_criterion_decides() -> None:
    latency = LatencyBounds(Bounds(0.25, 1.0), quantiles=(0.5,))
    policy = replace(POLICY, latency=latency, quality=Bounds(0.005, 0.02), budget=2_500)
    usual = Usual(1_000, 10, seconds_per_request=3.6)
    load = replace(Load.of(usual, 0.5, 0.1, shadow=0.5), steps=STEPS)
    outcomes = {one.candidate.name: one for one in forecast(policy, load, candidates(policy, load.error_rate))}
    assert list(outcomes) == [
        "equal", "errors at the margin", "errors twice as far", "latency at the margin", "quality at the margin"
    ]  # fmt: skip
    assert outcomes["latency at the margin"].rolled_back == 1
    assert outcomes["quality at the margin"].promoted <= 0.15
    [errors_alone] = forecast(replace(policy, latency=None, quality=None), load, [EQUAL])
    assert outcomes["equal"].promoted <= errors_alone.promoted
    assert outcomes["equal"].hours == pytest.approx(outcomes["equal"].requests / 1_000)
    [scattered] = forecast(policy, replace(load, differences=np.linspace(-0.9, 0.9, POINTS)), [EQUAL])
    assert scattered.undecided > 0.9


def test_a_relative_margin_is_of_the_odds() -> None:
    assert worst_safe(POLICY, 0.01) == pytest.approx(0.03)
    odds = 1.5 * 0.1 / 0.9
    assert worst_safe(replace(POLICY, errors=Bounds(0.0, 0.5, relative=True)), 0.1) == pytest.approx(odds / (1 + odds))


def test_an_impossible_load_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="error rate"):
        Load(1.0)


ERRORS_ONLY = ["--latency-margin", "0", "--quality-margin", "0", "--budget", "2000"]


def test_the_command_names_a_budget_that_decides_nothing() -> None:
    words = ["rollout", "plan", "--error-rate", "0.1", *ERRORS_ONLY]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0
    assert "does not decide these margins" in shown.output
    told = json.loads(CliRunner().invoke(app, [*words, "--output", "json"]).output)
    assert [round(outcome["error_rate"], 3) for outcome in told] == [0.1, 0.11, 0.12]
    assert told[0]["undecided"] > 0.5


def test_the_command_knows_an_endpoint_by_its_rollouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    words = ["rollout", "plan", "--endpoint", "flights", *ERRORS_ONLY, "--budget", "4000", "--error-margin", "0.03"]
    assert "give --error-rate" in " ".join(CliRunner().invoke(app, words).output.split())
    past = PastRollout("r0", 0.0, "PROMOTE", {"errors": (0.5, -0.5) * 50}, Usual(10_000, 100, seconds_per_request=3.6))
    FileRolloutStore().remember("flights", lambda kept: History((past,)).to_json())
    told = json.loads(CliRunner().invoke(app, [*words, "--output", "json"]).output)
    assert [round(outcome["error_rate"], 3) for outcome in told] == [0.01, 0.04, 0.07]
    assert told[0]["hours"] == pytest.approx(told[0]["requests"] / 1_000)
    assert "From 1 rollouts with 100 looks" in CliRunner().invoke(app, words).output
