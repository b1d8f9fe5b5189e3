"""What a bet on two proportions rests on: the point of the null hypothesis that is nearest to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from seaway.rollout.judge.proportions import EDGE, Table, _projection, log_bets
from seaway.rollout.judge.verdict import Hypothesis

RATES = st.one_of(st.floats(1e-6, 0.01), st.floats(0.01, 0.99), st.floats(0.99, 1 - 1e-6))
TRIALS = st.one_of(st.integers(1, 50), st.integers(50, 1_000_000))
BOUNDS = st.one_of(st.floats(-0.5, -1e-5), st.just(0.0), st.floats(1e-5, 0.5))


@given(RATES, RATES, TRIALS, TRIALS, BOUNDS)
def test_no_other_point_of_the_null_hypothesis_is_nearer(
    stable: float, candidate: float, stable_trials: int, candidate_trials: int, bound: float
) -> None:
    def divergence(points: np.ndarray) -> np.ndarray:
        """From the rates to stable at these points and candidate `bound` above, summed over trials."""
        pairs = ((stable_trials, stable, points), (candidate_trials, candidate, points + bound))
        return sum(n * (rate * np.log(rate / p) + (1 - rate) * np.log((1 - rate) / (1 - p))) for n, rate, p in pairs)

    arrays = (np.array([float(value)]) for value in (stable, candidate, stable_trials, candidate_trials))
    nearest = _projection(*arrays, bound)
    low, high = max(0.0, -bound) + EDGE, min(1.0, 1.0 - bound) - EDGE
    around = nearest + np.array([-1e-3, -1e-5, -1e-6, 1e-6, 1e-5, 1e-3])
    others = np.concatenate([np.linspace(low, high, 50), around]).clip(low, high)
    least = divergence(nearest)[0]
    assert (least <= divergence(others) * (1 + 1e-9) + 1e-9).all()


@pytest.mark.parametrize("bound", [0.1, 0.01, -0.05])
@pytest.mark.parametrize("hypothesis", Hypothesis)
def test_a_bet_is_worth_no_more_than_its_stake_wherever_the_null_hypothesis_holds(
    hypothesis: Hypothesis, bound: float
) -> None:
    """The expectation of an e-variable, over all tables of a look, at the edge of the null hypothesis."""
    stable, candidate = (np.arange(trials + 1) for trials in (9, 14))
    events = [part.ravel().astype(float)[:, None] for part in np.meshgrid(stable, candidate, indexing="ij")]
    table = Table(np.full_like(events[0], 9), events[0], np.full_like(events[1], 14), events[1])
    bets = np.exp(log_bets(table, hypothesis, bound))[:, 0, :]
    for rate in np.linspace(max(0.0, -bound) + 1e-3, min(1.0, 1.0 - bound) - 1e-3, 9):
        chances = np.outer(binom.pmf(stable, 9, rate), binom.pmf(candidate, 14, rate + bound)).ravel()
        assert (chances @ bets <= 1 + 1e-6).all()
