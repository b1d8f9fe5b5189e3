"""The arms side by side: each criterion as bets on a worsening that the looks win or lose."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from seaway.rollout.judge import bounded_means, conditional, proportions
from seaway.rollout.judge.autocorrelation import UNKNOWN, Noise, Prior, serial_inflation
from seaway.rollout.judge.bets import Bets
from seaway.rollout.judge.latency import Latencies
from seaway.rollout.judge.pace import Pace
from seaway.rollout.judge.verdict import Hypothesis
from seaway.rollout.observations import ArmObservation, Observation
from seaway.rollout.policy import DISTRIBUTION, Policy

Floats = NDArray[np.float64]

# Log odds ratios, candidate to stable, above or below the bound's, that a conditional test bets on.
TILTS = {Hypothesis.HARM: np.array([0.5, 1.0, 2.0, 4.0]), Hypothesis.SAFETY: np.array([-0.4, -1.0, -2.0, -4.0])}
# Small rises have the most requests to lose, but are no faults that hurry; a total failure needs no large share.
HARM_PRIOR = np.array([0.14, 0.44, 0.37, 0.05])
SCORE_TILTS = np.array([0.2, 0.4, 0.9, 1.8])  # of normal scores: 0.2 is all latencies + 20 % at a log-sd of 1
SCORE_PRIOR = np.array([0.5, 0.3, 0.15, 0.05])  # small shifts have the most requests to lose
LEVELS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9)  # of the whole distribution
LEVEL_TILTS = np.array([1.0, 2.5])
SCORES_SHARE = 0.85  # of the bets on the whole distribution; the rest is on single levels
MORE_OFTEN = 0.1  # share of requests by which the candidate may be above a level more often and be called safe
SURE = 1e-3  # rates closer to 0 or 1 than this are taken for it


class Comparison(Protocol):
    """One criterion; a worsening is in `unit`, and `span` holds all worsenings worth asking about.

    No span: the bounds of harm and of safety are not of one figure, so there is no interval.
    """

    @property
    def unit(self) -> str: ...

    @property
    def span(self) -> tuple[float, float] | None: ...

    @property
    def n(self) -> tuple[int, int]:
        """Observations of the stable and of the candidate arm."""
        ...

    @property
    def estimate(self) -> float | None:
        """The candidate's worsening as observed; None before there is any."""
        ...

    def bets(self, hypothesis: Hypothesis, bound: float) -> Sequence[Bets]:
        """Bets against a worsening on the other side of `bound`; each of them has to win."""
        ...


@dataclass(frozen=True)
class ErrorComparison:
    """Difference of error proportions, or their relative rise (of the odds, which is the rates' where they are small).

    A difference of 0 is asked conditionally on each look's errors, as a relative rise is. With a pace, a difference is
    shown to be safe as is most likely before the budget is spent.
    """

    table: proportions.Table
    relative: bool = False
    prior: Prior = UNKNOWN
    pace: Pace | None = None

    @classmethod
    def of(
        cls,
        observations: Sequence[Observation],
        relative: bool = False,
        prior: Prior = UNKNOWN,
        pace: Pace | None = None,
    ) -> "ErrorComparison":
        counts = [
            (
                observation.stable.requests,
                observation.stable.errors,
                observation.candidate.requests,
                observation.candidate.errors,
            )
            for observation in observations
        ]
        return cls(proportions.Table(*np.array(counts, dtype=float).reshape(len(counts), 4).T), relative, prior, pace)

    @property
    def unit(self) -> str:
        return "relative rise of the odds of an error" if self.relative else "difference of error rates"

    @property
    def span(self) -> tuple[float, float]:
        return (-0.99, 99.0) if self.relative else (-0.99, 0.99)

    @property
    def n(self) -> tuple[int, int]:
        return int(self.table.stable_trials.sum()), int(self.table.candidate_trials.sum())

    @property
    def estimate(self) -> float | None:
        stable, candidate = self.n
        if not stable or not candidate:
            return None
        failed = self.table.stable_events.sum(), self.table.candidate_events.sum()
        if self.relative:
            odds = [(count + 0.5) / (total - count + 0.5) for count, total in zip(failed, self.n, strict=True)]
            return float(odds[1] / odds[0] - 1)
        return float(failed[1] / candidate - failed[0] / stable)

    def bets(self, hypothesis: Hypothesis, bound: float) -> Sequence[Bets]:
        if self.relative or bound == 0:
            null = math.log1p(bound) if self.relative else 0.0
            return [Bets(_odds_bets(self.table, null + TILTS[hypothesis], null), self.spread, _prior(hypothesis))]
        bets = proportions.log_bets(self.table, hypothesis, bound, self.pace)
        return [Bets(bets, self.spread, proportions.PRIORS[hypothesis])]

    @cached_property
    def spread(self) -> Noise:
        """The same at every bound."""
        return Noise(self.table.differences, self.table.variances, prior=self.prior)


@dataclass(frozen=True)
class LatencyComparison:
    """Relative worsening of one latency quantile."""

    latencies: Latencies
    quantile: float
    prior: Prior = UNKNOWN
    unit: str = "relative slow-down"
    span: tuple[float, float] = (-0.9, 19.0)

    @property
    def n(self) -> tuple[int, int]:
        return _sizes(self.latencies)

    @property
    def estimate(self) -> float | None:
        ratio = self.latencies.ratio(self.quantile)
        return None if ratio is None else ratio - 1

    def bets(self, hypothesis: Hypothesis, bound: float) -> Sequence[Bets]:
        table = self.latencies.slowest(self.quantile, 1 + bound)
        noise = Noise(table.differences, table.variances, self.latencies.serial, self.prior)
        return [Bets(_odds_bets(table, TILTS[hypothesis]), noise, _prior(hypothesis))]


@dataclass(frozen=True)
class DistributionComparison:
    """Relative worsening of the latencies as a whole.

    Harm: the candidate's ranks are higher, or it is above some level of the distribution more often. Safe: above no
    level by more than MORE_OFTEN of the requests. So one that turns quick answers into slow ones is found, although no
    single quantile that was asked about moves.
    """

    latencies: Latencies
    prior: Prior = UNKNOWN
    unit: str = "relative slow-down of the mean"
    span: None = None

    @property
    def n(self) -> tuple[int, int]:
        return _sizes(self.latencies)

    @property
    def estimate(self) -> float | None:
        if not all(self.n):
            return None
        stable, candidate = (
            np.concatenate(list(arm)).mean() for arm in (self.latencies.stable, self.latencies.candidate)
        )
        half = max(self.latencies.resolution / 2, np.finfo(float).tiny)
        return float((candidate + half) / (stable + half) - 1)

    def bets(self, hypothesis: Hypothesis, bound: float) -> Sequence[Bets]:
        if hypothesis is Hypothesis.SAFETY:
            return [self._seldom(self.latencies.slowest(level, 1 + bound)) for level in LEVELS]
        tables = [self.latencies.slowest(level, 1 + bound) for level in LEVELS]
        ranks, means = self._ranks(1 + bound)
        bets = np.concatenate([ranks, *(_odds_bets(table, LEVEL_TILTS) for table in tables)], axis=1)
        levels = LEVEL_TILTS.size * len(LEVELS)
        prior = np.concatenate([SCORES_SHARE * SCORE_PRIOR, np.full(levels, (1 - SCORES_SHARE) / levels)])
        return [Bets(bets, means, prior)]

    def _seldom(self, table: proportions.Table) -> Bets:
        noise = Noise(table.differences, table.variances, self.latencies.serial, self.prior)
        return Bets(_odds_bets(table, -np.array([0.0, 0.5, 1.5]), _log_odds_of(table, MORE_OFTEN)), noise)

    def _ranks(self, ratio: float) -> tuple[Floats, Noise]:
        """Bets on the scores, [looks, tilts], and how the arms' mean scores differ by look."""
        looks = len(self.latencies.stable)
        stable, candidate, places = self.latencies.scores(ratio)
        bets = np.zeros((looks, SCORE_TILTS.size))
        np.add.at(bets, places, conditional.score_bets(stable, candidate, SCORE_TILTS))
        sums = [_by_look(places, [scores.sum() for scores in arm], looks) for arm in (stable, candidate)]
        sizes = [_by_look(places, [scores.size for scores in arm], looks) for arm in (stable, candidate)]
        with np.errstate(divide="ignore"):
            variances: Floats = 1 / sizes[0] + 1 / sizes[1]
        differences = sums[1] / np.maximum(sizes[1], 1) - sums[0] / np.maximum(sizes[0], 1)
        return np.minimum(bets, conditional.CAP), Noise(differences, variances, self.latencies.serial, self.prior)


@dataclass(frozen=True)
class QualityComparison:
    """Difference of mean losses: of pairs where requests were asked of both arms, else of matched samples."""

    differences: Sequence[Floats]
    observed: tuple[int, int]
    prior: Prior = UNKNOWN
    unit: str = "difference of mean losses"
    span: tuple[float, float] = (-0.99, 0.99)

    @classmethod
    def of(cls, observations: Sequence[Observation], prior: Prior = UNKNOWN) -> "QualityComparison":
        pairs = [observation.difference_values for observation in observations]
        if count := sum(pair.size for pair in pairs):
            return cls(pairs, (count, count), prior)
        stable, candidate = ([arm.loss_values for arm in arms] for arms in _arms(observations))
        matched = [bounded_means.matched(*observation) for observation in zip(stable, candidate, strict=True)]
        sizes = sum(losses.size for losses in stable), sum(losses.size for losses in candidate)
        return cls(matched, sizes, prior)

    @property
    def n(self) -> tuple[int, int]:
        return self.observed

    @cached_property
    def flat(self) -> Floats:
        return np.concatenate([*self.differences, np.zeros(0)])

    @property
    def estimate(self) -> float | None:
        return float(self.flat.mean()) if self.flat.size else None

    def bets(self, hypothesis: Hypothesis, bound: float) -> Sequence[Bets]:
        return [Bets(bounded_means.log_bets(self.differences, hypothesis, bound), self.spread)]

    @cached_property
    def spread(self) -> Noise:
        """The same at every bound."""
        serial = serial_inflation([self.flat])
        return Noise(*bounded_means.moments(self.differences), serial, self.prior)


def comparisons(
    observations: Sequence[Observation], policy: Policy, priors: Mapping[str, Prior] | None = None
) -> Mapping[str, Comparison]:
    """The policy's criteria on these looks, named and ordered as `policy.criteria`."""
    known = priors or {}
    relative = policy.errors is not None and policy.errors.relative
    found: dict[str, Comparison] = {
        "errors": ErrorComparison.of(observations, relative, known.get("errors", UNKNOWN), pace_of(policy)),
    }
    if policy.quality:
        found["quality"] = QualityComparison.of(observations, known.get("quality", UNKNOWN))
    if policy.latency is None:
        return found
    latencies = Latencies(*([arm.latency_values for arm in arms] for arms in _arms(observations)))
    for name, quantile in policy.latency.named.items():
        found[name] = LatencyComparison(latencies, quantile, known.get(name, UNKNOWN))
    return {**found, DISTRIBUTION: DistributionComparison(latencies, known.get(DISTRIBUTION, UNKNOWN))}


def pace_of(policy: Policy) -> Pace:
    """By which what promotes is to be there before the policy's budget is spent."""
    return Pace(math.log(1 / policy.false_promotion), policy.budget)


def _odds_bets(table: proportions.Table, tilts: Floats, null: Floats | float = 0.0) -> Floats:
    counts = table.stable_trials, table.stable_events, table.candidate_trials, table.candidate_events
    return conditional.odds_bets(*counts, tilts, null)


def _prior(hypothesis: Hypothesis) -> Floats:
    """Weights of TILTS; empty where all weigh the same."""
    return HARM_PRIOR if hypothesis is Hypothesis.HARM else np.zeros(0)


def _log_odds_of(table: proportions.Table, difference: float) -> Floats:
    """Log odds ratio of each look, [looks], whose candidate proportion is larger by `difference`, at its own total."""
    total = np.maximum(table.stable_trials + table.candidate_trials, 1)
    share = (table.stable_events + table.candidate_events) / total
    candidate = (share + difference * table.stable_trials / total).clip(SURE, 1 - SURE)
    stable = (share - difference * table.candidate_trials / total).clip(SURE, 1 - SURE)
    log_odds: Floats = logit(candidate) - logit(stable)
    return log_odds


def _by_look(places: NDArray[np.intp], values: Sequence[float], looks: int) -> Floats:
    """Sum of the parts of each look, [looks]."""
    return np.bincount(places, weights=np.array(values, dtype=float), minlength=looks).astype(np.float64)


def _sizes(latencies: Latencies) -> tuple[int, int]:
    return sum(look.size for look in latencies.stable), sum(look.size for look in latencies.candidate)


def _arms(observations: Sequence[Observation]) -> tuple[list[ArmObservation], list[ArmObservation]]:
    return [observation.stable for observation in observations], [observation.candidate for observation in observations]
