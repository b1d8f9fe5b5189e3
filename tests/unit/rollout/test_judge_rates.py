"""How often the judge is wrong and how soon it is right: the simulation of `benchmarks.judge`, in short.

Seeds are fixed. Bounds of rates are exact: a judge that keeps its promise passes with a chance of 999 in 1,000.
"""

import math

import numpy as np
import pytest
from scipy.stats import binom
from seaway.rollout import ArmObservation, Bounds, Observation, Policy
from seaway.rollout.judge import judge_fast, proportions
from seaway.rollout.judge.autocorrelation import Prior
from seaway.rollout.judge.verdict import Finding, Hypothesis

from benchmarks.judge import (
    POLICY,
    after_history,
    alarms_in,
    distribution_alarms,
    error_alarms,
    latency_alarms,
    promotions,
    promotions_in,
    wandering,
)
from benchmarks.judge_noise import Shape, bursts, errors, latencies
from benchmarks.judge_peers import FULL_LOOKS, alarms_at_full_traffic

CERTAIN = 0.999
CALM = Prior(looks=1e9)  # one whose noise is known for certain
QUIET = Prior(looks=200, inflation=1.0)  # an endpoint whose earlier looks differed as independent requests do
ERRORS_LEVEL = POLICY.significance("errors")


FALSE_ROLLBACKS, FALSE_PROMOTIONS, PROMOTIONS = 0.0105, 0.0303, 0.753  # of `counted`, measured with 8,000 rollouts


def counted(runs: int, looks: int, size: int, rates: tuple[float, float]) -> proportions.Table:
    """Failures of two arms, [runs, looks]."""
    random = np.random.default_rng(1)
    events = [random.binomial(size, rate, (runs, looks)).astype(float) for rate in rates]
    trials = np.full((runs, looks), float(size))
    return proportions.Table(trials, events[0], trials, events[1])


def at_most(found: "np.ndarray[tuple[int, ...], np.dtype[np.intp]]", rate: float) -> bool:
    return bool((found > 0).sum() <= binom.ppf(CERTAIN, found.size, rate))


def at_least(found: "np.ndarray[tuple[int, ...], np.dtype[np.intp]]", rate: float) -> bool:
    return bool((found > 0).sum() >= binom.ppf(1 - CERTAIN, found.size, rate))


def test_rates_are_what_was_measured() -> None:
    """Bounds alone are so wide that a threshold of half the evidence would keep them: the rates are pinned as well."""
    false_rollbacks = alarms_in(counted(2_000, 20, 60, (0.1, 0.1)), CALM)
    assert at_most(false_rollbacks, FALSE_ROLLBACKS)
    assert at_least(false_rollbacks, FALSE_ROLLBACKS)
    assert FALSE_ROLLBACKS < ERRORS_LEVEL
    false_promotions = promotions_in(counted(2_000, 25, 120, (0.02, 0.03)), 0.01, prior=QUIET)
    assert at_most(false_promotions, FALSE_PROMOTIONS)
    assert at_least(false_promotions, FALSE_PROMOTIONS)
    assert POLICY.false_promotion > FALSE_PROMOTIONS
    promoted = promotions_in(counted(500, 25, 120, (0.02, 0.02)), 0.01, prior=QUIET)
    assert at_most(promoted, PROMOTIONS)
    assert at_least(promoted, PROMOTIONS)


@pytest.mark.parametrize("hypothesis", Hypothesis)
def test_the_judge_decides_where_its_simulation_does(hypothesis: Hypothesis) -> None:
    """Look by look: neither earlier nor later."""
    rates, looks, size = (0.02, 0.12) if hypothesis is Hypothesis.HARM else (0.02, 0.02), 120, 20
    table, errors_only, budget = counted(6, looks, size, rates), Bounds(0.0, 0.03), 2 * size * looks
    policy = Policy(errors_only, latency=None, quality=None, false_rollback=ERRORS_LEVEL, budget=budget, restarts=0)
    first = alarms_in(table) if hypothesis is Hypothesis.HARM else promotions_in(table, 0.03)
    assert np.all(first > 1)
    for run, decided in enumerate(first):
        looks = [
            Observation(
                float(time), ArmObservation(size, int(one)), ArmObservation(size, int(two)), measured_at=float(time)
            )
            for time, (one, two) in enumerate(zip(table.stable_events[run], table.candidate_events[run], strict=True))
        ]
        key = "log_e_harm" if hypothesis is Hypothesis.HARM else "log_e_safety"
        level = ERRORS_LEVEL if hypothesis is Hypothesis.HARM else policy.false_promotion
        before, now = (judge_fast(looks[:seen], policy).evidence[0] for seen in (decided - 1, decided))
        found = Finding.HARMFUL if hypothesis is Hypothesis.HARM else Finding.SAFE
        assert getattr(before, key) < math.log(1 / level) <= getattr(now, key)
        assert (before.finding, now.finding) == (Finding.UNDECIDED, found)


@pytest.mark.parametrize("rate", [0.001, 0.02, 0.1])
@pytest.mark.parametrize("prior", [Prior(), QUIET], ids=["no history", "history"])
def test_equal_arms_are_seldom_rolled_back_for_their_errors(rate: float, prior: Prior) -> None:
    random, shape = np.random.default_rng(1), Shape(300, 30, 30)
    assert at_most(error_alarms((errors(random, shape, rate), errors(random, shape, rate)), prior, 3), ERRORS_LEVEL)


@pytest.mark.parametrize("length", [3, 30])
def test_failures_in_bursts_seldom_roll_back_an_equal_candidate(length: int) -> None:
    random, shape = np.random.default_rng(2), Shape(300, 30, 80)
    arms = bursts(random, shape, 0.02, length), bursts(random, shape, 0.02, length)
    assert at_most(error_alarms(arms), POLICY.false_rollback)


def test_the_noise_of_one_arm_is_known_by_its_history() -> None:
    random, shape = np.random.default_rng(3), Shape(150, 30, 100)
    *history, arms = (wandering(random, shape, 0.1, 0.5, shared=False) for _ in range(8))
    assert at_most(after_history(history, arms), 0.02)


@pytest.mark.parametrize(
    ("before", "after", "prior", "goal"),
    [(0.02, 0.05, Prior(), 850), (0.02, 0.05, QUIET, 700), (0.001, 0.01, Prior(), 1_190), (0.001, 0.01, QUIET, 1_100)],
)
def test_a_rise_of_errors_is_found_in_time(before: float, after: float, prior: Prior, goal: int) -> None:
    random, shape = np.random.default_rng(4), Shape(200, 110, 30)
    found = error_alarms((errors(random, shape, before), errors(random, shape, after)), prior)
    assert at_least(found, 0.98)
    assert shape.size * np.where(found > 0, found, shape.observations).mean() <= goal


def test_a_fault_that_begins_at_full_traffic_is_caught_there() -> None:
    """Ten looks, at which 30 of 100 requests are asked of stable as well."""
    random, runs = np.random.default_rng(8), 150
    before = errors(random, Shape(runs, 20, 100), 0.01), errors(random, Shape(runs, 20, 100), 0.01)
    full = Shape(runs, FULL_LOOKS, 30), Shape(runs, FULL_LOOKS, 100)
    ending = errors(random, full[0], 0.01), errors(random, full[1], 0.1)
    assert at_least(alarms_at_full_traffic(before, ending), 0.98)


def test_a_candidate_at_the_margin_of_errors_is_seldom_promoted() -> None:
    random, shape = np.random.default_rng(5), Shape(300, 40, 80)
    worse = promotions((errors(random, shape, 0.02), errors(random, shape, 0.03)), 0.01, prior=QUIET)
    assert at_most(worse, POLICY.false_promotion)
    odds = 1.5 * 0.1 / 0.9
    twice = errors(random, shape, 0.1), errors(random, shape, odds / (1 + odds))
    assert at_most(promotions(twice, 0.5, relative=True, prior=QUIET), POLICY.false_promotion)


def test_an_equal_candidate_is_promoted_in_time() -> None:
    random, shape = np.random.default_rng(6), Shape(200, 125, 60)
    found = promotions((errors(random, shape, 0.02), errors(random, shape, 0.02)), 0.01, prior=QUIET)
    assert at_least(found, 0.98)
    assert shape.size * np.where(found > 0, found, shape.observations).mean() <= 2_850


def test_latencies_are_compared_in_time_and_seldom_wrongly() -> None:
    random, shape = np.random.default_rng(7), Shape(40, 40, 60)
    stable, same = latencies(random, shape), latencies(random, shape)
    assert at_most(distribution_alarms((stable, same)), 2 * POLICY.significance("latency distribution"))
    assert at_most(latency_alarms((stable, same), 0.9), POLICY.significance("latency p99"))
    slower = distribution_alarms((stable, 1.2 * same), prior=QUIET)
    assert at_least(slower, 0.98)
    assert shape.size * np.where(slower > 0, slower, shape.observations).mean() <= 950
