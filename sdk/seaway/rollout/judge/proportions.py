"""Is one proportion larger than another by some difference? Evidence that stays valid at every look.

Each look is one block of a 2x2 table. The block's e-variable is the likelihood ratio of an alternative against its
Kullback-Leibler projection on the null hypothesis (Turner, Ly and Grunwald 2024, "Generic e-variables for exact
sequential k-sample tests that allow for optional stopping"; Turner and Grunwald 2023 for differences). The projection
on a convex null makes the expectation at most one for blocks of any sizes, so products over looks are
test supermartingales. Only looks before a block choose its alternatives. `seaway.rollout.judge.conditional` has what
is quicker where the bound is a ratio, or none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, xlog1py, xlogy

from seaway.rollout.judge.pace import FRACTIONS, Pace
from seaway.rollout.judge.verdict import Hypothesis

Floats = NDArray[np.float64]

# Log odds ratios of candidate to stable that a mixture bets on; 1 takes 2 % to 5.3 %.
SHIFTS = {
    Hypothesis.HARM: np.array([0.5, 1.0, 2.0, 4.0]),
    Hypothesis.SAFETY: np.array([-1.5, -0.5, 0.0]),
}
PRIORS = {
    Hypothesis.HARM: np.full(4, 0.25),
    Hypothesis.SAFETY: np.array([0.01, 0.04, 0.95]),  # who is to be promoted is equal, as a rule
}
PRIOR_EVENTS, PRIOR_TRIALS = 0.5, 25.0  # what stands for the stable arm's history before the first look
EDGE = 2.0**-25  # a null hypothesis has no proportion closer to 0 or 1
SURE = 1e-6  # rates closer to 0 or 1 than this are taken for it


@dataclass(frozen=True)
class Table:
    """Counts of a look each: arrays of shape [..., looks]; leading axes are rollouts judged at once."""

    stable_trials: Floats
    stable_events: Floats
    candidate_trials: Floats
    candidate_events: Floats

    @property
    def differences(self) -> Floats:
        """Candidate's proportion minus stable's, [..., looks]; 0 where an arm had no trials."""
        return _ratio(self.candidate_events, self.candidate_trials) - _ratio(self.stable_events, self.stable_trials)

    @property
    def variances(self) -> Floats:
        """Variance of each difference if trials were independent, [..., looks]; infinite where an arm had no trials."""
        with np.errstate(divide="ignore"):
            return _spread(self.stable_events, self.stable_trials) + _spread(
                self.candidate_events, self.candidate_trials
            )


def _ratio(events: Floats, trials: Floats) -> Floats:
    return events / np.maximum(trials, 1)


def _spread(events: Floats, trials: Floats) -> Floats:
    rate = (events.sum(axis=-1, keepdims=True) + 0.5) / (trials.sum(axis=-1, keepdims=True) + 1)
    spread: Floats = rate * (1 - rate) / trials
    return spread


def log_bets(table: Table, hypothesis: Hypothesis, bound: float, pace: Pace | None = None) -> Floats:
    """Log e-variables of each look and alternative, [..., looks, alternatives].

    HARM speaks against "the candidate's proportion is at most stable's + bound", SAFETY against "at least"; where there
    is a pace, the last bet of SAFETY, on an equal candidate, keeps to it.
    """
    stable = _history(table, SHIFTS[hypothesis])
    candidate = expit(logit(stable) + SHIFTS[hypothesis])
    bets = _bets(table, stable, candidate, hypothesis, bound)
    if pace and hypothesis is Hypothesis.SAFETY:
        bets[..., -1] = _paced(table, bound, pace)
    return bets


def _bets(table: Table, stable: Floats, candidate: Floats, hypothesis: Hypothesis, bound: float) -> Floats:
    """On proportions that are [..., looks, alternatives]; 0 where they are not on the side that is bet on."""
    trials = table.stable_trials[..., None], table.candidate_trials[..., None]
    null = _projection(stable, candidate, *trials, bound)
    bets = _log_ratio(table.stable_events[..., None], trials[0], stable, null) + _log_ratio(
        table.candidate_events[..., None], trials[1], candidate, null + bound
    )
    outside = (candidate - stable - bound) * hypothesis.sign > 0
    seen = (trials[0] > 0) & (trials[1] > 0)
    return np.where(outside & seen, bets, 0.0)


def _paced(table: Table, bound: float, pace: Pace) -> Floats:
    """The bets on an equal candidate at a pace, [..., looks]."""
    growth = _growth(_history(table, np.zeros(1)), bound)[..., 0]
    return pace.staked(fractional_bets(table, bound), growth, table.stable_trials + table.candidate_trials)


def fractional_bets(table: Table, bound: float) -> Floats:
    """Log e-variables against "the candidate's proportion is at least stable's + bound", [..., looks, FRACTIONS].

    The log odds that are bet on are a fraction of the way from the nearest of such pairs to an equal one.
    """
    equal = _history(table, np.zeros(1))
    nearest = _projection(equal, equal, table.stable_trials[..., None], table.candidate_trials[..., None], bound)
    stable, candidate = (_between(unsafe, equal) for unsafe in (nearest, nearest + bound))
    return _bets(table, stable, candidate, Hypothesis.SAFETY, bound)


def _between(nearest: Floats, equal: Floats) -> Floats:
    odds = (1 - FRACTIONS) * logit(nearest.clip(SURE, 1 - SURE)) + FRACTIONS * logit(equal)
    between: Floats = expit(odds)
    return between


def _growth(equal: Floats, bound: float) -> Floats:
    """Nats that a request of an equal candidate tells against the nearest pair that differs by `bound`, where each arm
    has every other one."""
    nearest = _projection(equal, equal, np.ones_like(equal), np.ones_like(equal), bound)
    return (_divergence(equal, nearest) + _divergence(equal, nearest + bound)) / 2


def _divergence(rate: Floats, null: Floats) -> Floats:
    """KL(rate || null)."""
    return _log_ratio(rate, np.ones_like(rate), rate, null)


def _history(table: Table, shifts: Floats) -> Floats:
    """Stable's proportion as known before each look if the candidate's log odds are off by a shift, [..., shifts].

    What the candidate showed counts as well, its odds divided by the shift's.
    """
    parts = (table.stable_trials, table.stable_events, table.candidate_trials, table.candidate_events)
    trials, events, others, failed = ((np.cumsum(part, axis=-1) - part)[..., None] for part in parts)
    told = failed * np.exp(-shifts)
    history: Floats = (events + told + PRIOR_EVENTS) / (trials + others - failed + told + PRIOR_TRIALS)
    return history


def _log_ratio(events: Floats, trials: Floats, rate: Floats, null: Floats) -> Floats:
    misses = trials - events
    ratio = xlogy(events, rate) - xlogy(events, null) + xlog1py(misses, -rate) - xlog1py(misses, -null)
    return ratio.astype(np.float64, copy=False)  # which its types do not promise


def _projection(
    stable: Floats, candidate: Floats, stable_trials: Floats, candidate_trials: Floats, bound: float
) -> Floats:
    """The stable proportion of the point on "candidate = stable + bound" that is closest in KL divergence.

    Where the divergence has no slope is a root of a cubic, in closed form (Miettinen and Nurminen 1985, "Comparative
    analysis of two rates", appendix), and one step of Newton's method after the cosine's rounding.
    """
    trials = np.maximum(stable_trials + candidate_trials, 1)
    stable_part, candidate_part = stable_trials / trials * stable, candidate_trials / trials * candidate
    if bound == 0:
        return stable_part + candidate_part
    share, expected = stable_trials / trials, stable_part + candidate_part
    second = (1 + share) * bound - 1 - expected
    first = (share * bound - 1 - 2 * stable_part) * bound + expected
    constant = stable_part * bound * (1 - bound)
    root = _middle_root(second, first, constant)
    nearest: Floats = root.clip(max(0.0, -bound) + EDGE, min(1.0, 1.0 - bound) - EDGE)
    return nearest


def _middle_root(second: Floats, first: Floats, constant: Floats) -> Floats:
    """Of x^3 + second x^2 + first x + constant, which has three real ones."""
    third = second / 3
    half = third**3 - second * first / 6 + constant / 2
    radius = np.copysign(np.sqrt(np.maximum(third**2 - first / 3, 0.0)), half)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.where(radius == 0, 0.0, half / radius**3).clip(-1.0, 1.0)
        root = 2 * radius * np.cos((np.pi + np.arccos(cosine)) / 3) - third
        slope = (3 * root + 2 * second) * root + first
        value = ((root + second) * root + first) * root + constant
        middle: Floats = np.where(slope == 0, root, root - value / slope)
    return middle
