"""All releases of a year together: few of the promotions are false, and good releases pay nothing for it."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.rollout import Policy
from seaway.rollout.ledger import Ledger

POLICY = Policy()
BEGUN = 1_780_000_000.0  # in 2026
SURE, UNSURE = math.log(100), 0.0


def ended(ledger: Ledger, key: str, log_e: float, promoted: bool) -> Ledger:
    return ledger.ended(key, BEGUN, ledger.level(POLICY), log_e, promoted)


def test_an_endpoint_whose_releases_are_good_keeps_the_full_level() -> None:
    ledger = Ledger.of(None, BEGUN)
    assert ledger.level(POLICY) == pytest.approx(0.045)
    for number in range(100):
        ledger = ended(ledger, str(number), SURE, promoted=True)
        assert ledger.level(POLICY) == POLICY.false_promotion
    assert (ledger.releases, ledger.promoted, ledger.spent, len(ledger.keys)) == (100, 100, 0.0, 50)


def test_releases_that_fail_again_and_again_are_judged_more_strictly() -> None:
    ledger = Ledger.of(None, BEGUN)
    levels = []
    for number in range(6):
        levels.append(ledger.level(POLICY))
        ledger = ended(ledger, str(number), UNSURE, promoted=False)
    assert np.all(np.diff(levels) < 0)
    assert levels == pytest.approx([0.09 / (place * (place + 1)) for place in range(1, 7)])
    assert sum(levels) / 0.9 <= POLICY.false_discovery
    assert ended(ledger, "good", SURE, promoted=True).level(POLICY) == pytest.approx(2 * ledger.level(POLICY))


@given(st.lists(st.tuples(st.floats(-5, 8), st.booleans()), max_size=60))
def test_what_releases_may_have_let_through_is_never_more_than_the_bound(releases: list[tuple[float, bool]]) -> None:
    ledger = Ledger.of(None, BEGUN)
    for number, (log_e, safe) in enumerate(releases):
        promoted = safe and log_e >= math.log(1 / ledger.level(POLICY))
        ledger = ended(ledger, str(number), log_e, promoted)
        assert 0 <= ledger.spent < POLICY.false_discovery
        assert 0 < ledger.level(POLICY) <= POLICY.false_promotion


def test_a_release_is_counted_once_and_in_the_year_in_which_it_began() -> None:
    first = ended(Ledger.of(None, BEGUN), "one", UNSURE, promoted=False)
    assert ended(first, "one", SURE, promoted=True) == first
    kept = first.to_json()
    assert Ledger.of(kept, BEGUN) == first
    next_year = BEGUN + 300 * 86_400
    assert Ledger.of(kept, next_year) == Ledger(2027)
    assert Ledger(2027).ended("late", BEGUN, 0.05, SURE, promoted=True) == Ledger(2027)
    assert Ledger.of(Ledger(2027, releases=1).to_json(), BEGUN).releases == 1


@pytest.mark.parametrize("bad", [0.2, 0.8, 1.0])
def test_of_a_years_promotions_few_are_false(bad: float) -> None:
    """200 years of 60 releases: evidence of bad ones just reaches what an e-value may, so that no bound is wasted."""
    random, shares = np.random.default_rng(3), []
    strict = replace(POLICY, false_promotion=0.5)  # so that the ledger alone guards
    for _ in range(200):
        ledger, false = Ledger.of(None, BEGUN), 0
        for number in range(60):
            is_bad = random.random() < bad
            log_e = -math.log(random.random()) if is_bad else random.normal(6.0, 2.0)  # P(e >= 1/a) = a under the null
            level = ledger.level(strict)
            promoted = log_e >= math.log(1 / level)
            false += promoted and is_bad
            ledger = ledger.ended(str(number), BEGUN, level, log_e, promoted)
        shares.append(false / max(ledger.promoted, 1))
    assert np.mean(shares) <= strict.false_discovery + 3 * np.std(shares) / math.sqrt(len(shares))
