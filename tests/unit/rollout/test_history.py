"""What rollouts leave behind: little enough to be kept with an endpoint, and enough to know its noise."""

import json
from dataclasses import replace

import numpy as np
import pytest
from seaway.rollout import ArmObservation, Decision, Observation, Policy
from seaway.rollout.history import LOOKS, POINTS, History, PastRollout, Usual
from seaway.rollout.judge.decision import known_noise
from seaway.rollout.ledger import Ledger

POLICY = Policy()


def looks(count: int, seed: int = 0, wander: float = 0.0) -> list[Observation]:
    """Looks at two equal arms that fail 10 % of their requests, the candidate's odds moving from look to look."""
    random = np.random.default_rng(seed)
    found = []
    for time in range(count):
        rates = 0.1, 1 / (1 + 9 * np.exp(wander * random.standard_normal()))
        arms = [
            ArmObservation(100, int(random.binomial(100, rate)), tuple(random.lognormal(-4, 1, 100).round(6)))
            for rate in rates
        ]
        pairs = tuple(random.normal(0, 0.1, 20).clip(-1, 1))
        found.append(Observation(float(time), *arms, pairs, measured_at=float(time)))
    return found


def past(key: str, decision: Decision = Decision.PROMOTE, count: int = 40, wander: float = 0.0) -> PastRollout:
    return PastRollout.of(key, 1.0, decision, looks(count, sum(map(ord, key)), wander), POLICY)


def history(*rollouts: PastRollout) -> History:
    kept = History()
    for one in rollouts:
        kept = kept.with_rollout(one, Ledger(2026))
    return kept


def test_a_history_tells_the_noise_that_its_looks_showed() -> None:
    seen = looks(120, seed=1, wander=0.7)
    kept = History.of(
        json.loads(json.dumps(history(PastRollout.of("a", 1.0, Decision.PROMOTE, seen, POLICY)).to_json()))
    )
    told = known_noise([seen], POLICY)
    assert kept.noise.keys() == told.keys() == POLICY.criteria.keys()
    for name, prior in kept.noise.items():
        assert (prior.looks, prior.inflation) == pytest.approx((told[name].looks, told[name].inflation), rel=0.02)
    assert kept.noise["errors"].inflation > 2
    assert kept.noise["latency p50"].inflation == 1


def test_a_rollback_tells_usual_figures_but_no_noise() -> None:
    kept = history(past("a", Decision.ROLLBACK))
    assert kept.noise == {}
    assert kept.usual.error_rate == pytest.approx(0.1, abs=0.02)
    assert history(past("a", Decision.ROLLBACK), past("b")).noise["errors"].looks == 40


def test_a_history_is_bounded_and_has_each_rollout_once() -> None:
    names = [f"run {number}" for number in range(20)]
    kept = history(*(past(name) for name in names), past(names[-1]))
    assert [one.key for one in kept.rollouts] == names[-(LOOKS // 40) :]
    assert len(json.dumps(kept.to_json())) < 150_000
    assert len(history(past("long", count=LOOKS + 50)).rollouts) == 1
    many = history(*(past(name, Decision.ROLLBACK, 5) for name in map(str, range(40))))
    assert len(many.rollouts) == 30


def test_usual_figures_are_those_that_were_measured() -> None:
    seen = looks(40)
    usual = Usual.of(seen)
    values = np.concatenate([look.stable.latency_values for look in seen])
    assert len(usual.latencies_s) == len(usual.differences) == POINTS
    assert np.median(usual.latencies_s) == pytest.approx(np.median(values), rel=0.05)
    assert np.mean(usual.differences) == pytest.approx(0, abs=0.005)
    assert usual.labels_per_request == pytest.approx(0.1)
    assert usual.seconds_per_request == pytest.approx(39 / 8_000)
    assert Usual.of([]) == Usual()


def test_the_latest_rollout_that_has_a_figure_tells_it() -> None:
    first, second = past("a"), replace(past("b"), usual=Usual(100, 50))
    usual = history(first, second).usual
    assert usual.latencies_s == first.usual.latencies_s
    assert usual.requests == first.usual.requests + 100
    assert History().usual == Usual()


def test_blind_looks_and_another_edition_tell_nothing() -> None:
    blind = [replace(look, measured_at=None) for look in looks(5)]
    assert PastRollout.of("a", 1.0, Decision.INCONCLUSIVE, blind, POLICY).looks == 0
    assert History.of({**history(past("a")).to_json(), "edition": 0}) == History()
    assert History.of(None) == History()
