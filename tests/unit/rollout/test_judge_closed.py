"""Ways past the judge that were once open: which candidates it must not promote, or must not roll back."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import binom
from seaway.errors import InvalidSpec
from seaway.rollout import ArmObservation, Bounds, Decision, LatencyBounds, Observation, Policy
from seaway.rollout.judge.criteria import LatencyComparison
from seaway.rollout.judge.decision import judge_fast, known_noise, safety
from seaway.rollout.judge.latency import Latencies

Floats = NDArray[np.float64]

ERRORS_ONLY = Policy(latency=None, quality=None, budget=10**9)
LATENCY = Policy(quality=None, budget=10**9)
LOOKS = 25


def counted(
    stable: tuple[int, int], candidate: tuple[int, int], looks: int = 30, **fields: object
) -> list[Observation]:
    """Requests and errors of each arm, the same in all looks."""
    arms = ArmObservation(*stable), ArmObservation(*candidate)
    return [Observation(time, *arms, measured_at=time, **fields) for time in range(looks)]  # type: ignore[arg-type]


def timed(stable: Sequence[Floats], candidate: Sequence[Floats]) -> list[Observation]:
    """Looks with the latencies of each arm, in seconds."""
    arms = [[ArmObservation(look.size, 0, tuple(look)) for look in looks] for looks in (stable, candidate)]
    return [Observation(time, *pair, measured_at=time) for time, pair in enumerate(zip(*arms, strict=True))]


def first_decision(observations: Sequence[Observation], policy: Policy) -> Decision:
    """Asked at every third look, which saves time and gives the judge no better chance."""
    decisions = (judge_fast(observations[:seen], policy).decision for seen in range(3, len(observations) + 1, 3))
    return next((decision for decision in decisions if decision is not Decision.CONTINUE), Decision.CONTINUE)


@pytest.mark.parametrize("drift", ["none", "cycle", "rise"])
def test_a_drift_that_both_arms_share_promotes_no_slow_candidate(drift: str) -> None:
    """One in seven of the candidate's requests is so slow that its p90 is twice stable's, the margin."""
    random, rollouts, promoted = np.random.default_rng(1), 40, 0
    shapes = {
        "none": np.ones(LOOKS),
        "cycle": 5 ** np.sin(np.arange(LOOKS) / 4),
        "rise": 1.2 ** np.arange(LOOKS),
    }
    for _ in range(rollouts):
        arms = [shapes[drift][:, None] * random.lognormal(-5, 0.5, (LOOKS, 60)) for _ in range(2)]
        arms[1] = arms[1] * np.where(random.random(arms[1].shape) < 1 / 7, 5.0, 1.0)
        enough = math.log(1 / LATENCY.false_promotion)
        promoted += any(
            safety(LatencyComparison(Latencies(arms[0][:seen], arms[1][:seen]), 0.9), 1.0) >= enough
            for seen in range(5, LOOKS + 1, 4)
        )
    assert promoted <= binom.ppf(0.999, rollouts, LATENCY.false_promotion)


def test_equal_arms_are_promoted_whatever_drift_they_share() -> None:
    random = np.random.default_rng(2)
    common = 5 ** np.sin(np.arange(LOOKS) / 4)[:, None]
    arms = [common * random.lognormal(-5, 0.4, (LOOKS, 60)) for _ in range(2)]
    assert first_decision(timed(*arms), replace(LATENCY, errors=Bounds(0.0, 0.05))) is Decision.PROMOTE


def test_blind_looks_are_capped_in_number_and_in_share() -> None:
    seen = counted((100, 0), (100, 0), 300)
    third, tenth = (
        [replace(look, unseen="counters were reset") if look.time % every == 1 else look for look in seen]
        for every in (3, 10)
    )
    assert (
        judge_fast(third[:3], replace(ERRORS_ONLY, min_requests=1, errors=Bounds(0, 0.5))).decision is Decision.CONTINUE
    )
    assert "saw nothing" in judge_fast(third[:30], ERRORS_ONLY).reason
    assert judge_fast(third[:30], ERRORS_ONLY).decision is Decision.INCONCLUSIVE
    assert judge_fast(tenth[:60], ERRORS_ONLY).decision is Decision.PROMOTE
    assert judge_fast(tenth, ERRORS_ONLY).decision is Decision.INCONCLUSIVE


def test_what_the_client_saw_itself_counts_against_the_candidate_and_never_for_it() -> None:
    blind = {"unseen": "no metrics", "by_client": True}
    patient = replace(ERRORS_ONLY, max_missing=100, max_blind=100)
    assert judge_fast(counted((80, 0), (80, 40), 10, **blind), patient).decision is Decision.ROLLBACK
    assert judge_fast(counted((80, 0), (80, 0), 60, **blind), patient).decision is Decision.CONTINUE
    told_by_nobody = counted((80, 0), (80, 40), 10, unseen="no metrics")
    assert judge_fast(told_by_nobody, patient).decision is Decision.CONTINUE


def test_a_candidate_that_gets_less_than_its_weight_is_not_promoted() -> None:
    looks = counted((94, 0), (34, 0), 40, weight=100, routed=(70, 10))
    verdict = judge_fast(looks, ERRORS_ONLY)
    assert verdict.decision is Decision.INCONCLUSIVE
    assert "100 % the candidate got 400 of 3,200" in verdict.reason


@pytest.mark.parametrize("weight", [0, 5, 50, 100])
def test_traffic_that_follows_its_weights_is_never_suspected(weight: int) -> None:
    random, rollouts, suspected = np.random.default_rng(3), 40, 0
    for _ in range(rollouts):
        had = random.binomial(80, weight / 100, LOOKS)
        looks = [
            Observation(time, ArmObservation(80, 0), ArmObservation(80, 0), (), time, weight=weight, routed=(80 - n, n))
            for time, n in enumerate(map(int, had))
        ]
        suspected += first_decision(looks, ERRORS_ONLY) is Decision.INCONCLUSIVE
    assert suspected <= binom.ppf(0.999, rollouts, 0.001)


def test_users_who_stay_with_an_arm_are_no_broken_split() -> None:
    random = np.random.default_rng(4)
    had = 16 * random.binomial(5, 0.25, LOOKS)
    looks = [
        Observation(time, ArmObservation(80, 0), ArmObservation(80, 0), (), time, weight=25, routed=(80 - n, n))
        for time, n in enumerate(map(int, had))
    ]
    assert first_decision(looks, ERRORS_ONLY) is not Decision.INCONCLUSIVE


def test_no_candidate_that_mostly_fails_is_promoted_beside_a_stable_that_does_too() -> None:
    for errors in (80, 40, 20):
        assert first_decision(counted((80, errors), (80, errors)), ERRORS_ONLY) in (
            Decision.ROLLBACK,
            Decision.CONTINUE,
        )
    assert "fails 100.0% of its requests" in judge_fast(counted((80, 80), (80, 80)), ERRORS_ONLY).reason


def test_a_present_outage_of_both_arms_is_not_outweighed_by_a_healthy_past() -> None:
    healthy, failing = (counted((80, errors), (80, errors), 100, weight=50) for errors in (0, 80))
    looks = [*healthy, *(replace(look, time=100 + look.time, measured_at=100 + look.time) for look in failing)]
    assert judge_fast(looks[:100], ERRORS_ONLY).decision is Decision.PROMOTE
    assert judge_fast(looks[:112], ERRORS_ONLY).decision is Decision.ROLLBACK


def test_an_outage_at_the_present_weights_is_no_promotion() -> None:
    failing = counted((80, 80), (80, 80), 103, weight=25)[100:]
    looks = [*counted((80, 0), (80, 0), 100, weight=5), *failing]
    verdict = judge_fast(looks[:101], ERRORS_ONLY)
    assert verdict.decision is Decision.CONTINUE
    assert "fails 100.0%" in verdict.lacking


def test_counts_that_differ_by_a_constant_are_no_dependence() -> None:
    worse, better = counted((40, 0), (80, 8)), counted((80, 8), (40, 0))
    assert judge_fast(worse, ERRORS_ONLY).decision is Decision.ROLLBACK
    assert judge_fast(better, ERRORS_ONLY).decision is Decision.PROMOTE
    assert judge_fast(worse, ERRORS_ONLY).evidence[0].inflation == 1.0


@pytest.mark.parametrize("rounding", [np.round, np.floor, np.ceil])
@pytest.mark.parametrize("milliseconds", [1.4, 2.2, 5.4])
def test_whole_milliseconds_do_not_make_a_tolerated_candidate_slow(rounding: np.ufunc, milliseconds: float) -> None:
    random = np.random.default_rng(5)
    arms = [
        rounding(random.lognormal(math.log(milliseconds * slower), 0.1, (LOOKS, 60))) / 1000 for slower in (1.0, 1.2)
    ]
    assert first_decision(timed(*arms), LATENCY) is not Decision.ROLLBACK


def test_latencies_of_zero_are_judged_and_no_nan() -> None:
    zeros = np.zeros((LOOKS, 60))
    verdict = judge_fast(timed(zeros, zeros), replace(LATENCY, errors=Bounds(0.0, 0.05)))
    assert verdict.decision is Decision.PROMOTE
    assert all(item.estimate == 0 for item in verdict.evidence)
    assert first_decision(timed(zeros, zeros + 0.05), LATENCY) is Decision.ROLLBACK


def slow_tail(random: np.random.Generator, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Three of a hundred requests of the candidate take fifty times as long."""
    arms = random.lognormal(-5, 0.4, (2, *size))
    return arms[0], arms[1] * np.where(random.random(size) < 0.03, 50.0, 1.0)


def cold_cache(random: np.random.Generator, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """A cache hit takes 5 ms, a miss 100 ms; 85 % of stable's requests hit, 65 % of the candidate's."""
    stable, candidate = (
        np.where(random.random(size) < hits, 0.005, 0.1) * random.lognormal(0, 0.1, size) for hits in (0.85, 0.65)
    )
    return stable, candidate


@pytest.mark.parametrize("fault", [slow_tail, cold_cache])
def test_what_the_median_and_p90_do_not_show_is_rolled_back(fault: object) -> None:
    random, rollouts = np.random.default_rng(6), 5
    ended = [first_decision(timed(*fault(random, (30, 80))), LATENCY) for _ in range(rollouts)]  # type: ignore[operator]
    assert Decision.PROMOTE not in ended
    assert ended.count(Decision.ROLLBACK) >= binom.ppf(0.001, rollouts, 0.95)


def test_the_whole_distribution_is_judged_beside_any_quantile() -> None:
    median = replace(LATENCY, latency=LatencyBounds(quantiles=(0.5,)))
    assert first_decision(timed(*cold_cache(np.random.default_rng(8), (30, 80))), median) is Decision.ROLLBACK


@pytest.mark.parametrize(("stable", "candidate"), [(0.005, 0.012), (0.02, 0.05)])
def test_latencies_that_are_always_the_same_are_no_tick(stable: float, candidate: float) -> None:
    looks = timed(np.full((LOOKS, 60), stable), np.full((LOOKS, 60), candidate))
    assert first_decision(looks, LATENCY) is Decision.ROLLBACK


def test_a_relative_margin_is_decided_at_a_high_error_rate() -> None:
    random = np.random.default_rng(7)
    failed = random.binomial(80, 0.1, (50, 2))
    looks = [
        Observation(time, ArmObservation(80, one), ArmObservation(80, two), (), time)
        for time, (one, two) in enumerate(failed.tolist())
    ]
    assert first_decision(looks, ERRORS_ONLY) is Decision.CONTINUE
    relative = replace(ERRORS_ONLY, errors=Bounds(0.0, 0.5, relative=True))
    assert first_decision(looks, relative) is Decision.PROMOTE
    worse = [replace(look, candidate=ArmObservation(80, min(80, 2 * look.candidate.errors))) for look in looks]
    assert first_decision(worse, relative) is Decision.ROLLBACK


def test_earlier_rollouts_of_a_noisy_endpoint_make_the_judge_patient() -> None:
    """Each arm's error rate wanders slowly on its own; what thirty looks take for a fault is usual here."""
    random = np.random.default_rng(9)
    slow = lfilter([1.0], [1.0, -0.9], random.standard_normal((2, 300))) * 0.4
    failed = random.binomial(100, 0.1 * np.exp(slow.clip(-2, 2))).T.tolist()
    looks = [
        Observation(time, ArmObservation(100, one), ArmObservation(100, two), (), time)
        for time, (one, two) in enumerate(failed)
    ]
    known = known_noise([looks[:200]], ERRORS_ONLY)
    assert known["errors"].inflation > 4
    worse = [replace(look, candidate=replace(look.candidate, errors=look.candidate.errors + 12)) for look in looks[:8]]
    assert judge_fast(worse, ERRORS_ONLY).decision is Decision.ROLLBACK
    assert judge_fast(worse, ERRORS_ONLY, known).decision is Decision.CONTINUE


def test_bounds_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="quality"):
        Policy(quality=Bounds(0.0, 0.5, relative=True))
    with pytest.raises(InvalidSpec, match="max_missing_share"):
        Policy(max_blind=1)
    with pytest.raises(InvalidSpec, match="restarts"):
        Policy(restarts=9)
