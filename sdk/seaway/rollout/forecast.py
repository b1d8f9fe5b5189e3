"""What a rollout's budget can decide, before its start: the judge on simulated looks of what an endpoint is like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from seaway.errors import InvalidSpec
from seaway.rollout.history import POINTS, Usual
from seaway.rollout.judge import autocorrelation
from seaway.rollout.judge.autocorrelation import UNKNOWN, Prior
from seaway.rollout.judge.bets import Bets
from seaway.rollout.judge.criteria import (
    Comparison,
    DistributionComparison,
    ErrorComparison,
    LatencyComparison,
    QualityComparison,
    pace_of,
)
from seaway.rollout.judge.decision import enough
from seaway.rollout.judge.latency import Latencies
from seaway.rollout.judge.proportions import Table
from seaway.rollout.judge.verdict import Hypothesis
from seaway.rollout.plan import FULL, STEPS, Step
from seaway.rollout.policy import DISTRIBUTION, Bounds, Policy

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]

ROLLOUTS, SEED = 40, 0
LOOK = 80  # requests
CONFIRMING = 10  # looks at full traffic
STRIDE = 16  # a question is asked after a sixteenth more looks than before, which saves most of the time
LEVELS = (np.arange(POINTS) + 0.5) / POINTS
MEDIAN_S = 0.01  # of assumed latencies; only their spread matters


@dataclass(frozen=True)
class Load:
    """What a rollout is fed with: its steps, the share asked of both arms, and what stable is usually like.

    `latencies_s` and `differences` (of the losses of both arms on the same request, of mean 0) are points of their
    distributions at even levels. `labels_per_request` are the differences that a request of either arm brings; 0 where
    each that was asked of both arms has one.
    """

    error_rate: float
    steps: Sequence[Step] = STEPS
    shadow: float = 0.3
    look: int = LOOK
    latencies_s: Sequence[float] = ()
    differences: Sequence[float] = ()
    labels_per_request: float = 0.0
    seconds_per_request: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.error_rate < 1 or not 0 <= self.shadow <= 1 or self.look < 1:
            raise InvalidSpec(
                "A forecast needs an error rate in [0, 1), a shadow share in [0, 1] and looks of at least one request; "
                f"got {self.error_rate}, {self.shadow}, {self.look}."
            )

    @classmethod
    def of(cls, usual: Usual, latency_spread: float, loss_spread: float, shadow: float = 0.3) -> "Load":
        """As an endpoint was before; where it has shown no latencies or losses, log-normal and normal ones of these
        standard deviations stand in."""
        normal = ndtri(LEVELS)
        return cls(
            usual.error_rate,
            shadow=shadow,
            latencies_s=usual.latencies_s or tuple(MEDIAN_S * np.exp(latency_spread * normal)),
            differences=usual.differences or tuple((loss_spread * normal).clip(-1, 1)),
            labels_per_request=usual.labels_per_request,
            seconds_per_request=usual.seconds_per_request,
        )


@dataclass(frozen=True)
class Candidate:
    """How a candidate differs from stable: its error rate, by how much its latencies are longer (0.25: a quarter), and
    its losses larger."""

    name: str
    error_rate: float
    slower: float = 0.0
    loss: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How rollouts of a candidate end: shares, requests of both arms (median) until the end, and hours; 0 unknown."""

    candidate: Candidate
    promoted: float
    rolled_back: float
    requests: int
    hours: float = 0.0

    @property
    def undecided(self) -> float:
        return max(1 - self.promoted - self.rolled_back, 0.0)


def forecast(
    policy: Policy, load: Load, asked: Sequence[Candidate], priors: Mapping[str, Prior] | None = None
) -> list[Outcome]:
    """What becomes of candidates like these, by simulation. What they have in common is drawn once.

    Args:
        priors: the noise of earlier rollouts by criterion, as `known_noise` has it.
    """
    simulation = Simulation(policy, load, priors or {})
    return [simulation.outcome(candidate) for candidate in asked]


def candidates(policy: Policy, error_rate: float) -> list[Candidate]:
    """An equal one, and one at the margin of each criterion; of errors, one twice as far as well."""
    margin = worst_safe(policy, error_rate)
    found = [
        Candidate("equal", error_rate),
        Candidate("errors at the margin", margin),
        Candidate("errors twice as far", min(2 * margin - error_rate, 1.0)),
    ]
    if policy.latency:
        found.append(Candidate("latency at the margin", error_rate, slower=policy.latency.bounds.margin))
    if policy.quality:
        found.append(Candidate("quality at the margin", error_rate, loss=policy.quality.margin))
    return found


def worst_safe(policy: Policy, error_rate: float) -> float:
    """The candidate's error rate at the margin of errors."""
    bounds = policy.errors or Bounds(0.0, 1.0)
    if not bounds.relative:
        return min(error_rate + bounds.margin, 1.0)
    odds = (1 + bounds.margin) * error_rate / (1 - error_rate)
    return odds / (1 + odds)


class Simulation:
    """Rollouts of candidates at one load, ROLLOUTS of each."""

    def __init__(self, policy: Policy, load: Load, priors: Mapping[str, Prior]) -> None:
        self._policy, self._load, self._priors = policy, load, priors
        self._requests, self._first = _looks(policy, load)
        self._shown: dict[tuple[str, float], tuple[Truths, Truths]] = {}
        self._latencies: dict[float, Latencies] = {}

    def outcome(self, candidate: Candidate) -> Outcome:
        harmed, safe = zip(*(self._found(name, candidate) for name in self._policy.criteria), strict=True)
        safe_now = np.all(safe, axis=0) & (self._asked > self._first)
        alarm, word = _place(np.any(harmed, axis=0)), _place(safe_now)
        promoted = word < alarm
        rolled_back = ~promoted & (alarm < self._asked.size)
        ends = self._asked[np.minimum(np.minimum(alarm, word), self._asked.size - 1)]
        spent = np.cumsum(self._requests.sum(axis=0))[ends - 1] + promoted * self._last_step
        requests = int(np.median(spent))
        hours = requests * self._load.seconds_per_request / 3_600
        return Outcome(candidate, float(promoted.mean()), float(rolled_back.mean()), requests, hours)

    @cached_property
    def _asked(self) -> NDArray[np.intp]:
        """After how many looks the judge is asked, increasing."""
        looks, asked = self._requests.shape[1], [1]
        while asked[-1] < looks:
            asked.append(min(asked[-1] + max(asked[-1] // STRIDE, 1), looks))
        return np.array(asked, dtype=np.intp)

    @property
    def _last_step(self) -> int:
        """Requests of both arms at full traffic."""
        looks = max(-(-self._load.steps[-1].requests // self._load.look), CONFIRMING)
        return looks * int(self._requests[:, 0].sum())

    def _found(self, name: str, candidate: Candidate) -> tuple[Truths, Truths]:
        """Whether the criterion shows harm, and safety, each [rollouts, times asked]; not asked any more once all
        rollouts have shown harm."""
        value = self._worsening(name, candidate)
        if (name, value) not in self._shown:
            self._shown[name, value] = self._judged(name, self._comparison(name, value))
        return self._shown[name, value]

    def _worsening(self, name: str, candidate: Candidate) -> float:
        return {"errors": candidate.error_rate, "quality": candidate.loss}.get(name, candidate.slower)

    def _comparison(self, name: str, value: float) -> Comparison:
        prior = self._priors.get(name, UNKNOWN)
        if name == "errors":
            relative = self._policy.criteria[name].relative
            return ErrorComparison(self._failures(value), relative, prior, pace_of(self._policy))
        if name == "quality":
            return QualityComparison(self._differences(value), (0, 0), prior)
        if value not in self._latencies:
            self._latencies[value] = self._answered(value)
        if name == DISTRIBUTION:
            return DistributionComparison(self._latencies[value], prior)
        quantiles = self._policy.latency.named if self._policy.latency else {}
        return LatencyComparison(self._latencies[value], quantiles[name], prior)

    def _failures(self, rate: float) -> Table:
        """[rollouts, looks]"""
        random = np.random.default_rng(SEED)
        events, trials = [], []
        for arm, chance in zip(self._requests, (self._load.error_rate, rate), strict=True):
            events.append(random.binomial(arm.astype(int), chance, (ROLLOUTS, arm.size)).astype(float))
            trials.append(np.broadcast_to(arm, (ROLLOUTS, arm.size)))
        return Table(trials[0], events[0], trials[1], events[1])

    def _answered(self, slower: float) -> Latencies:
        """Of all looks of all rollouts, one after the other."""
        random = np.random.default_rng(SEED + 1)
        sizes = np.tile(self._requests, ROLLOUTS).astype(int)
        stable, candidate = (_drawn(random, self._load.latencies_s, arm) for arm in sizes)
        return Latencies(stable, [(1 + slower) * look for look in candidate])

    def _differences(self, loss: float) -> list[Floats]:
        random = np.random.default_rng(SEED + 2)
        total = float(self._requests[:, 0].sum())
        pairs = round(self._load.labels_per_request * total or self._load.look * self._load.shadow)
        sizes = np.full(ROLLOUTS * self._requests.shape[1], max(pairs, 1))
        return [(look + loss).clip(-1, 1) for look in _drawn(random, self._load.differences, sizes)]

    def _judged(self, name: str, comparison: Comparison) -> tuple[Truths, Truths]:
        bounds, policy = self._policy.criteria[name], self._policy
        harm = [_by_rollout(bets) for bets in comparison.bets(Hypothesis.HARM, bounds.tolerance)]
        safety = [_by_rollout(bets) for bets in comparison.bets(Hypothesis.SAFETY, bounds.margin)]
        levels = enough(policy.significance(name)), enough(policy.false_promotion)
        shown = np.zeros((2, ROLLOUTS, self._asked.size), bool)
        for place, seen in enumerate(self._asked):
            worse = [_strongest(_until(bets, seen), policy.restarts) for bets in harm]
            fine = [_whole(_until(bets, seen)) for bets in safety if seen > self._first]
            shown[0, :, place] = np.min(worse, axis=0) >= levels[0]
            shown[1, :, place] = bool(fine) and np.min(fine, axis=0) >= levels[1]
            if shown[0].any(axis=1).all():
                break
        return shown[0], shown[1]


def _looks(policy: Policy, load: Load) -> tuple[Floats, int]:
    """Requests of each look till the budget is spent, [arms, looks], and how many pass before one may promote.

    The last step before full traffic goes on until the judge is sure.
    """
    partial = [step for step in load.steps if step.weight < FULL]
    weights = [step.weight for step in partial for _ in range(-(-step.requests // load.look))]
    both = round(load.look * load.shadow)
    needed = -(-policy.budget // (load.look + both))
    share = np.array([*weights, *[weights[-1]] * max(needed - len(weights), 0)])[:needed] / FULL
    candidate = np.round((load.look - both) * share) + both
    return np.stack([load.look + both - candidate, candidate]), len(weights) - 1


def _drawn(random: np.random.Generator, points: Sequence[float], sizes: NDArray[np.intp]) -> list[Floats]:
    """Values of a distribution that is known by its points, so many for each look; between the points unless most of
    them are equal, as whole milliseconds are."""
    known, levels = np.array(points, dtype=float), random.random(int(sizes.sum()))
    coarse = np.unique(known).size <= known.size / 2
    values = known[(levels * known.size).astype(int)] if coarse else np.interp(levels, LEVELS, known)
    return np.split(values, np.cumsum(sizes)[:-1])


def _by_rollout(bets: Bets) -> Bets:
    """Bets of looks one after the other, [rollouts, looks, alternatives]."""
    shape = ROLLOUTS, -1
    parts = [part.reshape(shape) for part in (bets.noise.differences, bets.noise.variances)]
    noise = replace(bets.noise, differences=parts[0], variances=parts[1])
    return Bets(bets.log_e.reshape(*shape, bets.log_e.shape[-1]), noise, bets.prior)


def _until(bets: Bets, seen: int) -> Bets:
    """Of the first looks."""
    parts = [part[:, :seen] for part in (bets.noise.differences, bets.noise.variances)]
    return replace(
        bets, log_e=bets.log_e[:, :seen], noise=replace(bets.noise, differences=parts[0], variances=parts[1])
    )


def _strongest(bets: Bets, restarts: int) -> Floats:
    return autocorrelation.strongest(bets.log_e, bets.noise, bets.prior, (), restarts)


def _whole(bets: Bets) -> Floats:
    return autocorrelation.whole(bets.log_e, bets.noise, bets.prior)


def _place(shown: Truths) -> NDArray[np.intp]:
    """The first time that it is so in each row; their number for never."""
    places: NDArray[np.intp] = np.where(shown.any(axis=1), shown.argmax(axis=1), shown.shape[1])
    return places
