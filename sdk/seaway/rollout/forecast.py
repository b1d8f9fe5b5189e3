"""What a rollout's budget can decide, before its start: the judge on simulated requests of a known error rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seaway.errors import InvalidSpec
from seaway.rollout.judge import autocorrelation
from seaway.rollout.judge.autocorrelation import UNKNOWN, Noise, Prior
from seaway.rollout.judge.criteria import ErrorComparison
from seaway.rollout.judge.proportions import Table
from seaway.rollout.judge.verdict import Hypothesis
from seaway.rollout.plan import FULL, STEPS, Step
from seaway.rollout.policy import Bounds, Policy

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]

ROLLOUTS, SEED = 100, 0
LOOK = 80  # requests
STRIDE = 2  # looks from one question to the next, which saves half of the time


@dataclass(frozen=True)
class Load:
    """What a rollout is fed with: its steps, the share asked of both arms, and stable's usual error rate."""

    error_rate: float
    steps: Sequence[Step] = STEPS
    shadow: float = 0.3
    look: int = LOOK

    def __post_init__(self) -> None:
        if not 0 <= self.error_rate < 1 or not 0 <= self.shadow <= 1 or self.look < 1:
            raise InvalidSpec(
                "A forecast needs an error rate in [0, 1), a shadow share in [0, 1] and looks of at least one request; "
                f"got {self.error_rate}, {self.shadow}, {self.look}."
            )


@dataclass(frozen=True)
class Outcome:
    """How rollouts of a candidate with some error rate end: shares, and requests of both arms until then (median)."""

    error_rate: float
    promoted: float
    rolled_back: float
    requests: int

    @property
    def undecided(self) -> float:
        return max(1 - self.promoted - self.rolled_back, 0.0)


def forecast(policy: Policy, load: Load, candidates: Sequence[float], prior: Prior = UNKNOWN) -> list[Outcome]:
    """What becomes of candidates with these error rates, by simulation of the errors criterion up to full load.

    Latency and quality can only delay a promotion, or roll back as well.

    Args:
        prior: the noise of earlier rollouts, as `known_noise` has it.
    """
    random = np.random.default_rng(SEED)
    return [_outcome(policy, load, rate, prior, random) for rate in candidates]


def worst_safe(policy: Policy, error_rate: float) -> float:
    """The candidate's error rate at the margin of errors."""
    bounds = policy.errors or Bounds(0.0, 1.0)
    if not bounds.relative:
        return min(error_rate + bounds.margin, 1.0)
    odds = (1 + bounds.margin) * error_rate / (1 - error_rate)
    return odds / (1 + odds)


def _outcome(policy: Policy, load: Load, rate: float, prior: Prior, random: np.random.Generator) -> Outcome:
    requests, first = _looks(policy, load)
    events = [
        random.binomial(arm.astype(int), chance, (ROLLOUTS, arm.size)).astype(float)
        for arm, chance in zip(requests, (load.error_rate, rate), strict=True)
    ]
    trials = [np.broadcast_to(arm, (ROLLOUTS, arm.size)) for arm in requests]
    harmed, safe = _first(policy, Table(trials[0], events[0], trials[1], events[1]), prior)
    safe = np.maximum(safe, first)
    looks, spent = requests.shape[1], np.cumsum(requests.sum(axis=0))
    rolled_back = (harmed < looks) & (harmed <= safe)
    promoted = ~rolled_back & (safe < looks)
    ends = np.minimum(np.minimum(harmed, safe), looks - 1)
    return Outcome(rate, float(promoted.mean()), float(rolled_back.mean()), int(np.median(spent[ends])))


def _looks(policy: Policy, load: Load) -> tuple[Floats, int]:
    """Requests of each look till the budget is spent, [arms, looks], and the first look that may end in promotion.

    The last step before full traffic goes on until the judge is sure.
    """
    partial = [step for step in load.steps if step.weight < FULL]
    weights = [step.weight for step in partial for _ in range(-(-step.requests // load.look))]
    both = round(load.look * load.shadow)
    needed = -(-policy.budget // (load.look + both))
    share = np.array([*weights, *[weights[-1]] * max(needed - len(weights), 0)])[:needed] / FULL
    candidate = np.round((load.look - both) * share) + both
    return np.stack([load.look + both - candidate, candidate]), len(weights) - 1


def _first(policy: Policy, table: Table, prior: Prior) -> tuple[Counts, Counts]:
    """The place of the look at which each rollout shows harm, and safety; the number of looks for never."""
    bounds = policy.criteria["errors"]
    comparison = ErrorComparison(table, bounds.relative)
    harm = comparison.bets(Hypothesis.HARM, bounds.tolerance)[0]
    safety = comparison.bets(Hypothesis.SAFETY, bounds.margin)[0]
    levels = np.log(1 / policy.significance("errors")), np.log(1 / policy.false_promotion)
    looks = table.stable_trials.shape[-1]
    found = np.full((2, ROLLOUTS), looks)
    for seen in range(STRIDE, looks + 1, STRIDE):
        noise = Noise(table.differences[:, :seen], table.variances[:, :seen], prior=prior)
        harmed = autocorrelation.strongest(harm.log_e[:, :seen], noise, harm.prior, (), policy.restarts) >= levels[0]
        safe = autocorrelation.whole(safety.log_e[:, :seen], noise, safety.prior) >= levels[1]
        for place, now in enumerate((harmed, safe)):
            found[place] = np.where(now & (found[place] == looks), seen - 1, found[place])
    return found[0], found[1]
