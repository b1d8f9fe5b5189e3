"""Looks as nobody should send them: the judge answers whatever it is told, and promotes nobody whom it cannot see."""

import math
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.rollout import ArmObservation, Bounds, Decision, Observation, Policy
from seaway.rollout.judge.decision import judge_fast
from seaway.rollout.observations import faults

EASY = Policy(
    errors=Bounds(0.0, 0.5), quality=Bounds(0.0, 0.9), budget=10**9, min_requests=1, max_missing=50, max_blind=50
)
ERRORS_ONLY = replace(EASY, latency=None, quality=None)

numbers = st.one_of(
    st.integers(-5, 200),
    st.floats(-3, 300),
    st.sampled_from([math.nan, math.inf, -math.inf, 0, 0.5, 1e9, 1e18, 1e300, 2**63]),
)
seconds = st.one_of(st.floats(0, 10), st.sampled_from([math.nan, math.inf, -1.0, 0.0, 1e-9, 1e300]))
ticks = st.sampled_from([1.0, 1e-2, 1e-3, 1e-6, 1e-9, 3e-4])
shares = st.one_of(st.floats(-1, 1), st.sampled_from([math.nan, math.inf, -1.5, 2.0]))
times = st.one_of(st.none(), st.integers(0, 60).map(float), st.sampled_from([math.nan, math.inf, -math.inf, 1e12]))


@st.composite
def arms(draw: st.DrawFn, count: st.SearchStrategy[float] = numbers) -> ArmObservation:
    """Counts of any kind, and latencies in ticks of some resolution, all equal among them."""
    tick, latencies = draw(ticks), draw(st.lists(seconds, max_size=6))
    losses = draw(st.lists(shares, max_size=3))
    told = tuple(round(value / tick) * tick if math.isfinite(value / tick) else value for value in latencies)
    return ArmObservation(draw(count), draw(count), told, tuple(losses))  # type: ignore[arg-type]


@st.composite
def hostile(draw: st.DrawFn) -> Observation:
    """Any look at all."""
    return Observation(
        draw(times) or 0.0,
        draw(arms()),
        draw(arms()),
        tuple(draw(st.lists(shares, max_size=3))),
        measured_at=draw(times),
        unseen=draw(st.sampled_from(["", "", "the gateway is gone"])),
        unattributed=draw(st.sampled_from([0, 0, 3])),
        weight=draw(st.sampled_from([None, 0, 5, 50, 100])),
        routed=draw(st.one_of(st.none(), st.tuples(numbers, numbers))),  # type: ignore[arg-type]
        by_client=draw(st.booleans()),
    )


def healthy(time: float, requests: int = 100) -> Observation:
    arm = ArmObservation(requests, 0, tuple(0.01 + 0.0001 * place for place in range(20)))
    return Observation(time, arm, arm, (0.0,) * 20, measured_at=time)


@settings(max_examples=120, deadline=None)
@given(st.lists(hostile(), max_size=6), st.sampled_from([EASY, ERRORS_ONLY]))
def test_whatever_it_is_told_it_answers_and_promotes_nobody_by_what_is_no_evidence(
    looks: list[Observation], policy: Policy
) -> None:
    """Impossible looks are left out, so a promotion is one without them as well."""
    verdict = judge_fast(looks, policy)
    found = faults(looks, policy.max_age_s)
    sound = [look for look, fault in zip(looks, found, strict=True) if not fault]
    if verdict.decision is Decision.PROMOTE:
        assert sound
        assert judge_fast(sound, policy).decision is Decision.PROMOTE
    for arm in (arm for look in sound for arm in (look.stable, look.candidate)):
        assert 0 <= arm.errors <= arm.requests < math.inf
        assert float(arm.errors).is_integer()


@settings(max_examples=60, deadline=None)
@given(hostile(), st.integers(1, 30))
def test_a_look_that_is_no_evidence_never_brings_a_promotion_nearer(look: Observation, before: int) -> None:
    healthy_looks = [healthy(time) for time in range(before)]
    if not faults([*healthy_looks, look], EASY.max_age_s)[-1]:
        return
    assert judge_fast([*healthy_looks, look], EASY).decision is not Decision.PROMOTE


def silent(look: Observation, arm: str) -> Observation:
    return replace(look, **{arm: ArmObservation()})


def without_metrics(look: Observation, arm: str) -> Observation:
    return replace(look, measured_at=None)


def from_tomorrow(look: Observation, arm: str) -> Observation:
    return replace(look, measured_at=look.time + 86_400)


def the_same_again(look: Observation, arm: str) -> Observation:
    return replace(look, time=0.0, measured_at=0.0)


def failing(look: Observation, arm: str) -> Observation:
    """Both arms."""
    down = replace(look.stable, errors=look.stable.requests)
    return replace(look, stable=down, candidate=down)


def astray(look: Observation, arm: str) -> Observation:
    """At even weights one arm has nearly all."""
    return replace(look, weight=50, routed=(95, 5) if arm == "stable" else (5, 95))


@given(st.sampled_from([math.nan, math.inf, -1, 0.5, 1e18, 2**63]), st.sampled_from(["stable", "candidate"]))
def test_counts_that_no_proxy_can_have_made_are_no_evidence(count: float, arm: str) -> None:
    for impossible in (ArmObservation(count), ArmObservation(count, count), ArmObservation(100, count)):  # type: ignore[arg-type]
        assert "impossible counts" in replace(healthy(0.0), **{arm: impossible}).fault(EASY.max_age_s)


BLIND = (silent, without_metrics, from_tomorrow, the_same_again, failing, astray)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(BLIND), st.sampled_from(["stable", "candidate"]), st.integers(1, 60))
def test_a_rollout_that_is_blind_in_one_way_throughout_is_never_promoted(
    blinded: Callable[[Observation, str], Observation], arm: str, count: int
) -> None:
    looks = [blinded(healthy(time), arm) for time in range(count)]
    ends = (judge_fast(looks[:seen], replace(ERRORS_ONLY, min_requests=600)).decision for seen in range(1, count + 1))
    assert Decision.PROMOTE not in set(ends)
