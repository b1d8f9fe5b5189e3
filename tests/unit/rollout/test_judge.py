"""What a user relies on: the judge is not fooled by looking often, and never takes silence for good news."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import binom, norm
from seaway.errors import InvalidSpec
from seaway.rollout import ArmObservation, Bounds, Decision, Observation, Policy
from seaway.rollout.judge.autocorrelation import Noise, strongest
from seaway.rollout.judge.criteria import ErrorComparison
from seaway.rollout.judge.decision import harm, judge, judge_fast, safety
from seaway.rollout.judge.pace import Pace
from seaway.rollout.judge.proportions import Table, log_bets
from seaway.rollout.judge.verdict import Finding, Hypothesis

ERRORS_ONLY = Policy(latency=None, quality=None, budget=10**9, restarts=0)
PATIENT = Pace(1.0, ERRORS_ONLY.budget)  # with that budget it is the same for any evidence that is wanted
BARELY = 1 + 1e-9  # times the evidence that is wanted


def observation(
    time: float = 0.0, stable: tuple[int, int] = (100, 0), candidate: tuple[int, int] = (100, 0), **fields: object
) -> Observation:
    return Observation(time, ArmObservation(*stable), ArmObservation(*candidate), measured_at=time, **fields)  # type: ignore[arg-type]


def healthy(random: np.random.Generator, count: int = 60, scale: float = 1.0, worse: float = 0.0) -> list[Observation]:
    """Looks of two equal arms, or of a candidate `scale` times slower and with Brier losses `worse` higher."""
    return [
        Observation(
            time,
            ArmObservation(80, 0, tuple(random.lognormal(-5, 0.4, 80))),
            ArmObservation(80, 0, tuple(scale * random.lognormal(-5, 0.4, 80))),
            tuple(np.clip(random.normal(worse, 0.07, 40), -1, 1)),
            measured_at=time,
        )
        for time in range(count)
    ]


def until_decided(observations: list[Observation], policy: Policy) -> tuple[Decision, int]:
    for seen in range(1, len(observations) + 1):
        decision = judge_fast(observations[:seen], policy).decision
        if decision is not Decision.CONTINUE:
            return decision, seen
    return Decision.CONTINUE, len(observations)


def test_a_look_that_was_judged_before_is_judged_the_same() -> None:
    observations = healthy(np.random.default_rng(4), count=12)
    for seen in range(1, 12):
        judge(observations[:seen], Policy())
    assert judge(observations, Policy()) == judge(healthy(np.random.default_rng(4), count=12), Policy())


@pytest.mark.parametrize("worsening", [{}, {"scale": 2.0}, {"worse": 0.05}], ids=["equal", "slow", "mistaken"])
def test_a_glance_decides_as_the_judge_does(worsening: dict[str, float]) -> None:
    observations = healthy(np.random.default_rng(6), count=12, **worsening)  # type: ignore[arg-type]
    for seen in (0, 1, 2, 7, len(observations)):
        fast, judged = judge_fast(observations[:seen], Policy()), judge(observations[:seen], Policy())
        assert fast.decision is judged.decision
        shared = [replace(item, lower=None, upper=None, sentence="") for item in judged.evidence]
        assert [replace(item, sentence="") for item in fast.evidence] == shared


def test_equal_arms_are_promoted_and_the_evidence_reads_well() -> None:
    observations = healthy(np.random.default_rng(0))
    decision, seen = until_decided(observations, Policy())
    assert decision is Decision.PROMOTE
    evidence = judge(observations[:seen], Policy()).evidence
    assert {item.criterion for item in evidence} == {
        "errors", "quality", "latency p50", "latency p90", "latency p99", "latency distribution",
    }  # fmt: skip
    for item in (item for item in evidence if item.criterion != "latency distribution"):
        assert item.lower is not None
        assert item.upper is not None
        assert item.lower <= (item.estimate or 0.0) <= item.upper
    assert all("within the margin" in item.sentence for item in evidence)


@pytest.mark.parametrize(
    ("worsening", "criterion"), [({"scale": 2.0}, "Latency"), ({"worse": 0.05}, "Quality")], ids=["slow", "mistaken"]
)
def test_a_worse_candidate_is_rolled_back(worsening: dict[str, float], criterion: str) -> None:
    observations = healthy(np.random.default_rng(1), **worsening)  # type: ignore[arg-type]
    decision, seen = until_decided(observations, Policy())
    assert decision is Decision.ROLLBACK
    assert criterion in judge(observations[:seen], Policy()).reason


def test_quality_is_judged_without_shadow_requests_too() -> None:
    random = np.random.default_rng(2)
    arms = [
        (
            ArmObservation(75, 0, losses=tuple(random.beta(2, 8, 75))),
            ArmObservation(25, 0, losses=tuple(random.beta(4, 6, 25))),
        )
        for _ in range(20)
    ]
    observations = [Observation(time, *pair, measured_at=time) for time, pair in enumerate(arms)]
    assert until_decided(observations, Policy(latency=None))[0] is Decision.ROLLBACK


@pytest.mark.parametrize("fault", ["failing", "slow"])
def test_a_fault_that_begins_late_is_caught_within_a_few_looks(fault: str) -> None:
    random = np.random.default_rng(3)
    worse = healthy(random, 8, scale=5.0 if fault == "slow" else 1.0)
    if fault == "failing":
        worse = [replace(item, candidate=replace(item.candidate, errors=60)) for item in worse]
    policy = replace(Policy(), min_requests=10**6)
    observations = [replace(item, time=time, measured_at=time) for time, item in enumerate(healthy(random, 20) + worse)]
    assert until_decided(observations, policy)[0] is Decision.ROLLBACK


def blind_looks() -> list[tuple[str, Observation]]:
    good = observation(time=90.0)
    return [
        ("no metrics", replace(good, measured_at=None)),
        ("store unreachable", replace(good, unseen="Prometheus is down")),
        ("stale", replace(good, measured_at=50.0)),
        ("measured in the future", replace(good, measured_at=95.0)),
        ("measured at the end of time", replace(good, measured_at=math.inf)),
        ("measured before the look before", replace(good, measured_at=48.0, time=50.0)),
        ("at no time", replace(good, time=math.inf, measured_at=math.inf)),
        ("a look that was given before", observation(time=49.0)),
        ("a look of long ago that was given before", observation(time=3.0)),
        ("endless requests", replace(good, stable=ArmObservation(math.inf, 0))),  # type: ignore[arg-type]
        ("endless routed requests", replace(good, routed=(10, math.inf))),  # type: ignore[arg-type]
        ("time is NaN", replace(good, measured_at=math.nan)),
        ("NaN latency", replace(good, candidate=ArmObservation(100, 0, (math.nan,)))),
        ("infinite latency", replace(good, stable=ArmObservation(100, 0, (math.inf,)))),
        ("NaN loss", replace(good, candidate=ArmObservation(100, 0, losses=(math.nan,)))),
        ("NaN difference", replace(good, differences=(math.nan,))),
        ("more errors than requests", replace(good, candidate=ArmObservation(100, 101))),
        ("negative counts", replace(good, candidate=ArmObservation(-5, -5))),
    ]


@pytest.mark.parametrize("blind", [item for _, item in blind_looks()], ids=[name for name, _ in blind_looks()])
def test_a_blind_look_never_promotes(blind: Observation) -> None:
    sure = [observation(time) for time in range(50)]
    assert judge(sure, ERRORS_ONLY).decision is Decision.PROMOTE
    assert judge([*sure, blind], ERRORS_ONLY).decision is Decision.CONTINUE
    ended = judge([*sure, *[blind] * ERRORS_ONLY.max_missing], ERRORS_ONLY)
    assert ended.decision is Decision.INCONCLUSIVE
    assert ended.reason
    assert judge([blind] * 3, ERRORS_ONLY).decision is Decision.CONTINUE


@pytest.mark.parametrize(
    "observations",
    [
        [],
        [observation(time, candidate=(0, 0)) for time in range(50)],
        [observation(time, stable=(10**4, 0), candidate=(9, 0)) for time in range(11)],
    ],
    ids=["nothing", "no traffic to the candidate", "too little traffic to the candidate"],
)
def test_no_evidence_never_promotes(observations: list[Observation]) -> None:
    assert judge(observations, ERRORS_ONLY).decision is Decision.CONTINUE
    if observations:
        assert judge(observations, replace(ERRORS_ONLY, budget=100)).decision is Decision.INCONCLUSIVE


def test_too_few_requests_promote_nothing_however_sure_the_evidence() -> None:
    sure = [observation(time) for time in range(50)]
    assert judge(sure, replace(ERRORS_ONLY, min_requests=5_000)).decision is Decision.PROMOTE
    assert judge(sure, replace(ERRORS_ONLY, min_requests=5_001)).decision is Decision.CONTINUE


def test_a_budget_is_spent_by_its_last_request() -> None:
    seen = [observation()]
    assert judge(seen, replace(ERRORS_ONLY, budget=201)).decision is Decision.CONTINUE
    assert judge(seen, replace(ERRORS_ONLY, budget=200)).decision is Decision.INCONCLUSIVE


def test_a_criterion_without_observations_keeps_the_candidate_from_promotion() -> None:
    observations = [observation(time) for time in range(80)]
    assert judge(observations, Policy(latency=None, budget=10**9)).decision is Decision.CONTINUE
    assert judge(observations, Policy(latency=None)).decision is Decision.INCONCLUSIVE


counts = st.integers(0, 60).flatmap(lambda requests: st.tuples(st.just(requests), st.integers(0, requests)))
sequences = st.lists(st.tuples(counts, counts), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(sequences, st.data())
def test_more_errors_of_the_candidate_never_turn_a_rollback_into_a_promotion(
    rows: list[tuple[tuple[int, int], tuple[int, int]]], data: st.DataObject
) -> None:
    observations = [observation(time, *row) for time, row in enumerate(rows)]
    more = [
        replace(item, candidate=replace(arm, errors=data.draw(st.integers(arm.errors, arm.requests))))
        for item in observations
        for arm in [item.candidate]
    ]
    before, after = judge(observations, ERRORS_ONLY).decision, judge(more, ERRORS_ONLY).decision
    assert not (before is Decision.ROLLBACK and after is Decision.PROMOTE)
    assert not (before is Decision.CONTINUE and after is Decision.PROMOTE)


def test_thirty_looks_at_equal_arms_raise_few_false_alarms() -> None:
    random, runs, alarms = np.random.default_rng(5), 100, 0
    enough = math.log(1 / ERRORS_ONLY.significance("errors"))
    for _ in range(runs):
        errors = random.binomial(30, 0.02, size=(30, 2))
        observations = [observation(time, (30, int(one)), (30, int(two))) for time, (one, two) in enumerate(errors)]
        alarms += any(harm(ErrorComparison.of(observations[:seen]), 0.0) >= enough for seen in range(1, 31))
    assert alarms <= binom.ppf(0.999, runs, ERRORS_ONLY.false_rollback)


@pytest.mark.parametrize("correlation", [0.5, 0.8])
@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_bursts_of_errors_raise_few_false_alarms(rate: float, correlation: float) -> None:
    random, runs, size = np.random.default_rng(8), 200, 50
    shocks = random.standard_normal((2, runs, 30 * size))
    shocks[..., 1:] *= math.sqrt(1 - correlation**2)
    failed = norm.cdf(lfilter([1.0], [1.0, -correlation], shocks)) < rate
    stable, candidate = failed.reshape(2, runs, 30, size).sum(axis=-1).astype(float)
    trials = np.full(stable.shape, float(size))
    alarmed = np.zeros(runs, bool)
    for seen in range(1, 31):
        table = Table(*(part[:, :seen] for part in (trials, stable, trials, candidate)))
        bets = log_bets(table, Hypothesis.HARM, 0.0)
        alarmed |= strongest(bets, Noise(table.differences, table.variances)) >= math.log(
            1 / ERRORS_ONLY.significance("errors")
        )
    assert alarmed.sum() <= binom.ppf(0.999, runs, ERRORS_ONLY.false_rollback)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=6), st.floats(0.51, 0.999))
def test_a_rollback_takes_evidence_of_one_over_the_rate_of_false_ones(errors: list[int], less: float) -> None:
    """Ville's inequality bounds the rate by that threshold and by no lower one: half the evidence is twice the rate."""
    worse = [observation(time, (50, 1), (50, failed)) for time, failed in enumerate(errors)]
    evidence = math.exp(harm(ErrorComparison.of(worse), 0.0))
    assume(evidence > 1.1)
    assert judge_fast(worse, replace(ERRORS_ONLY, false_rollback=BARELY / evidence)).decision is Decision.ROLLBACK
    assert judge_fast(worse, replace(ERRORS_ONLY, false_rollback=less / evidence)).decision is Decision.CONTINUE


@settings(max_examples=40)
@given(st.lists(st.integers(40, 120), min_size=3, max_size=12), st.floats(0.51, 0.999))
def test_a_promotion_takes_evidence_of_one_over_the_rate_of_false_ones(requests: list[int], less: float) -> None:
    equal = [observation(time, (count, 0), (count, 0)) for time, count in enumerate(requests)]
    policy = replace(ERRORS_ONLY, min_requests=1)
    evidence = math.exp(safety(ErrorComparison.of(equal, pace=PATIENT), policy.criteria["errors"].margin))
    assume(evidence > 1.1)
    assert judge_fast(equal, replace(policy, false_promotion=BARELY / evidence)).decision is Decision.PROMOTE
    assert judge_fast(equal, replace(policy, false_promotion=less / evidence)).decision is Decision.CONTINUE


def test_an_interval_holds_the_bound_until_the_evidence_against_it_is_enough() -> None:
    worse, equal = [observation(candidate=(100, 6))], [observation(time) for time in range(4)]
    margin = ERRORS_ONLY.criteria["errors"].margin
    for observations, against, rate, end, bound in (
        (worse, harm(ErrorComparison.of(worse), 0.0), "false_rollback", "lower", 0.0),
        (equal, safety(ErrorComparison.of(equal, pace=PATIENT), margin), "false_promotion", "upper", margin),
    ):
        outside, inside = (
            getattr(judge(observations, replace(ERRORS_ONLY, **{rate: share / math.exp(against)})).evidence[0], end)
            for share in (1.4, 0.7)
        )
        assert (outside > bound > inside) if end == "lower" else (outside < bound < inside)


def test_no_interval_contradicts_what_was_found() -> None:
    """Where an arm's share of the requests changes, no candidate a twentieth as slow shows what an equal one does."""
    random = np.random.default_rng(3)
    sizes = [*[(77, 27)] * 4, *[(52, 52)] * 16]
    looks = [
        Observation(
            time, *(ArmObservation(n, 0, tuple(random.lognormal(-5, 0.4, n))) for n in pair), measured_at=float(time)
        )
        for time, pair in enumerate(sizes)
    ]
    policy = Policy(quality=None, budget=10**9)
    found = [item for item in judge(looks, policy).evidence if item.upper is not None and item.criterion != "errors"]
    assert {item.finding for item in found} == {Finding.SAFE}
    assert all(item.upper <= policy.criteria[item.criterion].margin for item in found if item.upper is not None)


def test_the_criteria_share_the_rate_of_false_rollbacks_and_none_has_it_whole() -> None:
    policy = Policy(errors=Bounds(0.0, 0.01, share=3.0))
    shares = {name: policy.significance(name) for name in policy.criteria}
    assert sum(shares.values()) == pytest.approx(policy.false_rollback)
    assert shares["errors"] == pytest.approx(3 * shares["quality"])
    assert shares["latency p50"] == shares["latency p90"] == pytest.approx(shares["quality"] / 6)
    assert shares["latency distribution"] == pytest.approx(shares["quality"] / 2)


def test_settings_that_could_never_end_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="margin"):
        Bounds(tolerance=0.02, margin=0.01)
    with pytest.raises(InvalidSpec, match="errors"):
        Policy(errors=None)
    with pytest.raises(InvalidSpec, match="positive"):
        Policy(budget=0)
