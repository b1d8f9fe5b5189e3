"""The mathematics that the judge's promises rest on."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import binom, hypergeom
from seaway.rollout.judge import autocorrelation, bounded_means, conditional, proportions
from seaway.rollout.judge.pace import FRACTIONS, Pace
from seaway.rollout.judge.verdict import Hypothesis

rates = st.floats(0.01, 0.99)


def expectation(hypothesis: Hypothesis, bound: float, stable: float, candidate: float, sizes: tuple[int, int]) -> float:
    """The largest expected e-value of a second look over all alternatives, exactly, by all outcomes of the look."""
    total = 0.0
    for one, two in product(range(sizes[0] + 1), range(sizes[1] + 1)):
        table = proportions.Table(
            *(np.array(pair, float) for pair in ((40, sizes[0]), (2, one), (40, sizes[1]), (2, two)))
        )
        chance = binom.pmf(one, sizes[0], stable) * binom.pmf(two, sizes[1], candidate)
        bets = [proportions.log_bets(table, hypothesis, bound)[1]]
        if hypothesis is Hypothesis.SAFETY:
            bets.append(proportions.fractional_bets(table, bound)[1])
        total = total + chance * np.exp(np.concatenate(bets))
    return float(np.max(total))


@settings(max_examples=40, deadline=None)
@given(rates, rates, st.sampled_from([0.0, 0.02, 0.2, -0.1]), st.tuples(st.integers(1, 6), st.integers(1, 6)))
def test_no_bet_on_proportions_wins_on_average_under_its_null(
    stable: float, other: float, bound: float, sizes: tuple[int, int]
) -> None:
    hypothesis = Hypothesis.HARM if other <= stable + bound else Hypothesis.SAFETY
    assert expectation(hypothesis, bound, stable, other, sizes) <= 1 + 1e-6


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.6), st.floats(0.05, 0.3), st.sampled_from([1.0, 20.0, 1e6]), st.sampled_from([0.1, 3.0]))
def test_no_pace_makes_the_bets_win_on_average_under_their_null(
    stable: float, bound: float, budget: float, enough: float
) -> None:
    """Exactly, by all outcomes of three looks of two requests an arm, at the nearest rates that are not safe."""
    outcomes = np.array(list(product(range(3), repeat=6)), dtype=float)
    trials = np.full((len(outcomes), 3), 2.0)
    arms = outcomes[:, :3], outcomes[:, 3:]
    chances = np.prod(binom.pmf(arms[0], 2, stable) * binom.pmf(arms[1], 2, stable + bound), axis=1)
    table = proportions.Table(trials, arms[0], trials, arms[1])
    paced = proportions.log_bets(table, Hypothesis.SAFETY, bound, Pace(enough, budget))[..., -1]
    assert chances @ np.exp(paced.sum(axis=-1)) <= 1 + 1e-6


def test_a_pace_is_timid_where_plenty_is_left_bold_near_the_end_and_timid_once_there_is_enough() -> None:
    """Bets that win as much as their fraction tell which one was staked."""
    growth, requests = np.full(20, 0.01), np.full(20, 100.0)
    small, large = (times * np.broadcast_to(FRACTIONS, (20, FRACTIONS.size)) for times in (1e-6, 10.0))
    slow = 1e6 * Pace(10.0, 2_000).staked(small, growth, requests)
    assert np.isclose(slow[0], FRACTIONS[0])
    assert np.isclose(slow[-1], FRACTIONS[-1])
    assert np.all(np.diff(slow) >= 0)
    for pace, bets in ((Pace(10.0, 1e6), small), (Pace(10.0, 2_000), large)):
        assert np.isclose(pace.staked(bets, growth, requests)[1:], bets[1:, 0]).all()
    lucky = np.concatenate([small[:-1], large[-1:]])  # a look has no say in its own fraction
    assert np.isclose(Pace(10.0, 2_000).staked(lucky, growth, requests)[-1], 10 * FRACTIONS[-1])


def test_a_look_has_no_say_in_its_own_bet_on_proportions() -> None:
    trials = np.full(3, 40.0)
    calm, stormy = (np.array([1.0, 2.0, last]) for last in (0.0, 40.0))
    bets = [
        proportions._history(proportions.Table(trials, events, trials, events), proportions.SHIFTS[Hypothesis.HARM])
        for events in (calm, stormy)
    ]
    np.testing.assert_array_equal(*bets)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.data())
def test_no_bet_on_odds_wins_on_average_under_its_null(stable: int, candidate: int, data: st.DataObject) -> None:
    """Exactly, over all draws of a look's events with the odds ratio of the null."""
    events = data.draw(st.integers(0, stable + candidate))
    null = data.draw(st.sampled_from([0.0, 0.4, -1.0]))
    drawn = np.arange(max(0, events - stable), min(events, candidate) + 1)
    chances = hypergeom.pmf(drawn, stable + candidate, candidate, events) * np.exp(null * drawn)
    trials = [np.full(drawn.size, float(size)) for size in (stable, candidate)]
    tilts = null + np.array([-2.0, -0.3, 0.3, 2.0])
    bets = conditional.odds_bets(trials[0], events - drawn, trials[1], drawn.astype(float), tilts, null)
    means = chances / chances.sum() @ np.exp(bets)
    assert np.all(means <= 1 + 1e-9)
    assert np.all((means > 1 - 1e-9) | (bets.max(axis=0) == conditional.CAP))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=8), st.data())
def test_no_bet_on_scores_wins_on_average_when_arms_are_alike(scores: list[float], data: st.DataObject) -> None:
    """Exactly, over all ways to deal a look's values to the arms."""
    count, pooled = data.draw(st.integers(1, len(scores) - 1)), np.array(scores)
    hands = [list(hand) for hand in combinations(range(len(scores)), count)]
    stable = [np.delete(pooled, hand) for hand in hands]
    bets = conditional.score_bets(stable, [pooled[hand] for hand in hands], np.array([0.2, 1.0]))
    means = np.exp(bets).mean(axis=0)
    assert np.all(means <= 1 + 1e-9)
    assert np.all((means > 1 - 1e-9) | (bets.max(axis=0) == conditional.CAP))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=6), st.sampled_from([0.0, 0.01, 0.3]))
def test_no_bet_on_bounded_differences_wins_on_average_under_its_null(values: list[float], bound: float) -> None:
    hypothesis = Hypothesis.HARM if np.mean(values) <= bound else Hypothesis.SAFETY
    observations = [np.array([value]) for value in values]
    assert np.exp(bounded_means.log_bets(observations, hypothesis, bound)).mean(axis=0).max() <= 1 + 1e-9


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=15), st.lists(st.floats(-1, 1), min_size=15, max_size=15))
def test_tempering_never_passes_a_threshold_that_independence_did_not_pass(
    bets: list[float], differences: list[float]
) -> None:
    count = len(bets)
    noise = autocorrelation.Noise(np.array(differences[:count]), np.full(count, 0.01))
    tempered, inflation = autocorrelation.whole(np.array(bets)[:, None], noise), noise.inflation
    assert inflation >= 1
    assert tempered <= max(sum(bets), 0.0) + 1e-9
    windows = np.cumsum(bets[::-1])[::-1]
    assert autocorrelation.strongest(np.array(bets)[:, None], noise) <= max(0.0, *windows) + 1e-9


def test_rollouts_judged_together_are_judged_as_each_alone() -> None:
    random = np.random.default_rng(7)
    sizes, events = np.full((3, 9), 40.0), random.binomial(40, 0.1, (2, 3, 9)).astype(float)
    sizes[:, 4] = 0.0
    events[:, :, 4] = 0.0
    every = proportions.Table(sizes, events[0], sizes, events[1])
    for hypothesis in Hypothesis:
        bets = proportions.log_bets(every, hypothesis, 0.01)
        together = autocorrelation.strongest(bets, autocorrelation.Noise(every.differences, every.variances))
        for row in range(3):
            one = proportions.Table(sizes[row], events[0, row], sizes[row], events[1, row])
            alone = proportions.log_bets(one, hypothesis, 0.01)
            noise = autocorrelation.Noise(one.differences, one.variances)
            assert autocorrelation.strongest(alone, noise) == pytest.approx(together[row])


def test_requests_that_depend_on_each_other_weaken_evidence() -> None:
    looks, evidence = np.full(4, 1e-4), np.full(4, 6.0)
    free, bound = (autocorrelation.Noise(np.zeros(4), looks, serial).spreads for serial in (1.0, 9.0))
    assert bound.discount(evidence)[0] < free.discount(evidence)[0] / 3


@given(st.integers(1, 3000))
def test_the_windows_share_the_significance_and_no_more(looks: int) -> None:
    assert np.exp(autocorrelation._log_shares(looks, range(1, min(looks, 20)), 5)).sum() <= 1 + 1e-9


def test_earlier_looks_tell_the_noise_of_one_arm_and_invent_none() -> None:
    random = np.random.default_rng(9)
    quiet = [autocorrelation.Noise(random.normal(0.1, 0.05, 100), np.full(100, 0.0025)) for _ in range(2)]
    assert autocorrelation.prior_of(quiet) == autocorrelation.Prior(200, 1.0)
    slow = [lfilter([1.0], [1.0, -0.8], random.normal(0, 0.05, 100)) for _ in range(2)]
    noisy = autocorrelation.prior_of([autocorrelation.Noise(each, np.full(100, 0.0025)) for each in slow])
    assert 25 / 3 < noisy.inflation < 25 * 3  # 1 / (1 - 0.8)^2 in the long run, known by a dozen batches
    assert autocorrelation.prior_of([]) == autocorrelation.UNKNOWN


def test_what_is_known_of_the_noise_weakens_evidence() -> None:
    looks, evidence = np.full(4, 1e-4), np.full(4, 6.0)
    unknown, quiet, noisy = (
        float(autocorrelation.Noise(np.zeros(4), looks, prior=prior).spreads.discount(evidence)[0])
        for prior in (autocorrelation.UNKNOWN, autocorrelation.Prior(200, 1.0), autocorrelation.Prior(200, 9.0))
    )
    assert noisy < unknown / 3
    assert unknown < quiet <= 6.0


def test_looks_that_differ_by_more_than_chance_weaken_evidence() -> None:
    steady, noisy = (0.05 + np.array(spread) for spread in ([0.0, 0.001, 0.0, -0.001], [0.2, -0.2, 0.15, -0.15]))
    found = [autocorrelation.Noise(differences, np.full(4, 1e-4)).spreads for differences in (steady, noisy)]
    calm, wild = (float(spreads.discount(np.full(4, 6.0))[0]) for spreads in found)
    assert wild < calm / 3 < 2.0


@pytest.mark.parametrize(("correlation", "least", "most"), [(0.0, 1.0, 1.15), (0.5, 2.3, 3.6), (0.8, 6.5, 11.0)])
def test_serial_dependence_is_measured(correlation: float, least: float, most: float) -> None:
    random = np.random.default_rng(4)
    noise = random.standard_normal(4000)
    series = np.zeros_like(noise)
    for index in range(1, series.size):
        series[index] = correlation * series[index - 1] + noise[index]
    assert least <= autocorrelation.serial_inflation([np.exp(series)]) <= most


def test_unbalanced_samples_are_matched_without_bias() -> None:
    random = np.random.default_rng(6)
    differences = [bounded_means.matched(random.beta(2, 8, 95), random.beta(3, 7, 5)).mean() for _ in range(400)]
    assert np.mean(differences) == pytest.approx(0.1, abs=0.02)
