"""The judge beside common ones, by simulation: false rollbacks over 30 looks, power, requests until caught.

All judges see the same rollouts; seeds are fixed. Ours is asked criterion by criterion, each with its part of
`Policy.false_rollback`; the others see each look's figure (error rate, p99, mean loss) and bars that a person who knows
the usual figure would write. A figure from n rollouts that is p % has a standard error of sqrt(p (100 - p) / n) points.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from seaway.rollout import Bounds, LatencyBounds, Policy
from seaway.rollout.judge import autocorrelation, bounded_means, decision, proportions
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
from seaway.rollout.judge.latency import Latencies
from seaway.rollout.judge.verdict import Hypothesis

from benchmarks import Row, main
from benchmarks.judge_noise import Shape, errors, latencies, losses, wandering
from benchmarks.judge_others import (
    Bars,
    Counts,
    argo_like,
    first_alarms,
    flagger_like,
    kayenta_like,
    tested_always,
    tested_once,
)

Floats = NDArray[np.float64]
Arms = tuple[Floats, Floats]  # stable, candidate: [runs, looks, size]
Figure = Callable[[Floats], Floats]

SEED = 2013
POLICY = Policy(latency=LatencyBounds(Bounds(0.0, 0.5), (0.99,)), quality=Bounds(0.0, 0.02))
LATENCY_LEVEL = POLICY.significance("latency distribution") * 2  # what latency has as a whole
EVERYDAY = Shape(1000, 30, 30)  # rollouts, looks, requests an arm and look
SINGLE = Shape(200, 30, 60)  # of kinds whose rollouts are judged one by one
OTHERS = {
    "Kayenta-like": kayenta_like,
    "Flagger-like": flagger_like,
    "Argo-like": argo_like,
    "fixed sample": tested_once,
    "t-test at each look": tested_always,
}
KNOWN = Prior(looks=200)  # of an endpoint whose earlier looks differed as independent requests do
CERTAIN = Prior(looks=1e9)  # whose noise is known for certain, so that nothing is discounted
FLIGHTS = Path(__file__).with_name(
    "flights_losses.npz"
)  # differences of Brier losses, network minus logistic regression


@dataclass(frozen=True)
class Kind:
    """What one kind of evidence is judged by: ours on requests, the others on one figure a look."""

    alarms: Callable[[Arms], Counts]
    figure: Figure
    bars: Bars

    def all(self, arms: Arms) -> list[Counts]:
        """First alarms of ours and of the others, 0 for none, each [runs]."""
        stable, candidate = (self.figure(arm) for arm in arms)
        return [self.alarms(arms), *(other(stable, candidate, self.bars) for other in OTHERS.values())]


def enough(criterion: str) -> float:
    return decision.enough(POLICY.significance(criterion))


def table_of(arms: Arms) -> proportions.Table:
    """Failures of each look, [runs, looks] or [looks]."""
    events = [arm.sum(axis=-1) for arm in arms]
    trials = np.full(events[0].shape, float(arms[0].shape[-1]))
    return proportions.Table(trials, events[0], trials, events[1])


def error_alarms(arms: Arms, prior: Prior = UNKNOWN, restarts: int = 0) -> Counts:
    """All rollouts at once, by the arrays that `judge` computes for one."""
    return alarms_in(table_of(arms), prior, restarts)


def alarms_in(every: proportions.Table, prior: Prior = UNKNOWN, restarts: int = 0) -> Counts:
    """The look of each rollout's first alarm, 0 for none, [runs], from counts [runs, looks]."""
    bets = ErrorComparison(every).bets(Hypothesis.HARM, 0.0)[0]

    def alarmed(rows: Counts, seen: int) -> NDArray[np.bool_]:
        noise = autocorrelation.Noise(*_spread(every, rows, seen), prior=prior)
        evidence = autocorrelation.strongest(bets.log_e[rows, :seen], noise, bets.prior, (), restarts)
        found: NDArray[np.bool_] = evidence >= enough("errors")
        return found

    return first_alarms(*every.stable_trials.shape, alarmed)


def promotions(arms: Arms, margin: float, relative: bool = False, prior: Prior = UNKNOWN) -> Counts:
    """The look at which errors are first shown to be within the margin, 0 for never, [runs]."""
    return promotions_in(table_of(arms), margin, relative, prior)


def promotions_in(every: proportions.Table, margin: float, relative: bool = False, prior: Prior = UNKNOWN) -> Counts:
    """The same from counts [runs, looks]; the budget is what there is."""
    budget = float((every.stable_trials + every.candidate_trials).sum(axis=-1).max())
    pace = pace_of(replace(POLICY, budget=int(budget)))
    bets = ErrorComparison(every, relative, pace=pace).bets(Hypothesis.SAFETY, margin)[0]

    def promoted(rows: Counts, seen: int) -> NDArray[np.bool_]:
        noise = autocorrelation.Noise(*_spread(every, rows, seen), prior=prior)
        found: NDArray[np.bool_] = autocorrelation.whole(bets.log_e[rows, :seen], noise, bets.prior) >= decision.enough(
            POLICY.false_promotion
        )
        return found

    return first_alarms(*every.stable_trials.shape, promoted)


def _spread(every: proportions.Table, rows: Counts, seen: int) -> tuple[Floats, Floats]:
    parts = (every.stable_trials, every.stable_events, every.candidate_trials, every.candidate_events)
    table = proportions.Table(*(part[rows, :seen] for part in parts))
    return table.differences, table.variances


def after_history(history: Sequence[Arms], arms: Arms) -> Counts:
    """Alarms of judges that know the noise of their endpoint's earlier rollouts of two equal arms, [runs, looks, size]
    each."""
    alarms = []
    for run, (one, two) in enumerate(zip(*arms, strict=True)):
        past = [ErrorComparison(table_of((stable[run], candidate[run]))).spread for stable, candidate in history]
        alarms.append(error_alarms((one[None], two[None]), autocorrelation.prior_of(past)))
    return np.concatenate(alarms)


def _each(arms: Arms, compare: Callable[[Floats, Floats], Comparison], level: float, bound: float = 0.0) -> Counts:
    """Rollout by rollout; a look's bets are its own, so they are made once."""
    first = [_alarm(compare(one, two).bets(Hypothesis.HARM, bound)[0], level) for one, two in zip(*arms, strict=True)]
    return np.array(first, dtype=np.intp)


def _alarm(bets: Bets, level: float) -> int:
    """The first look at which the bets reach a level, 0 for none."""
    for seen in range(1, len(bets.log_e) + 1):
        noise = replace(bets.noise, differences=bets.noise.differences[:seen], variances=bets.noise.variances[:seen])
        if autocorrelation.strongest(bets.log_e[:seen], noise, bets.prior) >= level:
            return seen
    return 0


def latency_alarms(arms: Arms, quantile: float = 0.99, level: float = 0.0, bound: float = 0.0) -> Counts:
    def compare(stable: Floats, candidate: Floats) -> Comparison:
        return LatencyComparison(Latencies(list(stable), list(candidate)), quantile)

    return _each(arms, compare, level or enough("latency p99"), bound)


def distribution_alarms(arms: Arms, bound: float = 0.0, prior: Prior = UNKNOWN) -> Counts:
    def compare(stable: Floats, candidate: Floats) -> Comparison:
        return DistributionComparison(Latencies(list(stable), list(candidate)), prior)

    return _each(arms, compare, decision.enough(LATENCY_LEVEL), bound)


def pair_alarms(arms: Arms) -> Counts:
    def compare(stable: Floats, candidate: Floats) -> Comparison:
        return QualityComparison(list(candidate - stable), (0, 0))

    return _each(arms, compare, enough("quality"))


def unpaired_alarms(arms: Arms) -> Counts:
    """As if each request had been asked of one arm only."""
    half = arms[0][..., ::2], arms[1][..., 1::2]

    def compare(stable: Floats, candidate: Floats) -> Comparison:
        return QualityComparison(
            [bounded_means.matched(*observation) for observation in zip(stable, candidate, strict=True)], (0, 0)
        )

    return _each(half, compare, enough("quality"))


def p99(arm: Floats) -> Floats:
    return np.quantile(arm, 0.99, axis=-1)


def mean(arm: Floats) -> Floats:
    return arm.mean(axis=-1)


USUAL_P99_S, USUAL_LOSS = 0.01 * math.exp(2.326), 0.146  # of the simulated stable arm; a log-normal's 99 % point
SLOW_BARS = Bars(1.1 * USUAL_P99_S, 1.2 * USUAL_P99_S)
ERRORS = Kind(error_alarms, mean, Bars(0.05, 0.1))
LATENCY = Kind(latency_alarms, p99, SLOW_BARS)
SLOWER = Kind(distribution_alarms, p99, SLOW_BARS)
QUALITY = Kind(pair_alarms, mean, Bars(USUAL_LOSS + 0.01, USUAL_LOSS + 0.02))


def shares(name: str, kind: Kind, arms: Arms, goal: str) -> Row:
    """How many rollouts were rolled back, in per cent."""
    found = [100 * float(np.mean(first > 0)) for first in kind.all(arms)]
    return _row(f"{name} ({len(arms[0])} rollouts)", found, "%", goal, "lower")


def caught(name: str, kind: Kind, arms: Arms, goals: tuple[str, str]) -> list[Row]:
    """Power within the looks given, and requests an arm until then, all of them where it never came."""
    runs, observations, size = arms[0].shape
    alarms = kind.all(arms)
    spent = [float(np.mean(size * np.where(first > 0, first, observations))) for first in alarms]
    power = [100 * float(np.mean(first > 0)) for first in alarms]
    return [
        _row(
            f"{name}, caught in {observations * size:,} requests an arm ({runs} rollouts)",
            power,
            "%",
            goals[0],
            "higher",
        ),
        _row("requests an arm until then", spent, "mean", goals[1], "lower"),
    ]


def _row(name: str, found: Sequence[float], unit: str, goal: str, better: Literal["higher", "lower"]) -> Row:
    ours, theirs, *rest = found
    note = ", ".join(f"{other} {value:,.4g}" for other, value in zip(list(OTHERS)[1:], rest, strict=True))
    return Row(name, ours, theirs, unit, goal, better, f"other: Kayenta-like; {note}")


def measure() -> list[Row]:
    random = np.random.default_rng(SEED)
    return [*false_rollbacks(random), *power(random), *prices(random), *pairs(random), *equals(random)]


def false_rollbacks(random: np.random.Generator) -> list[Row]:
    rows = []
    for noise in (0.0, 0.5, 0.8):
        title = f"AR(1) {noise:g} between requests" if noise else "independent"
        sets = {
            "errors of 2 %": (ERRORS, (errors(random, EVERYDAY, 0.02, noise), errors(random, EVERYDAY, 0.02, noise))),
            "latency p99": (LATENCY, (latencies(random, SINGLE, noise), latencies(random, SINGLE, noise))),
            "quality, paired": (QUALITY, losses(random, SINGLE, noise, 0.4)),
        }
        rows += [shares(f"false rollbacks, {name}, {title}", *pair, "<= 5 %") for name, pair in sets.items()]
    wide = Shape(500, 30, 100)
    for rate, spread, shared in ((0.02, 0.5, True), (0.02, 0.2, False), (0.1, 0.2, False), (0.1, 0.5, False)):
        who = "both arms together" if shared else "each arm on its own"
        name = f"false rollbacks, errors of {rate:.0%}, AR(1) 0.8 between looks, log-odds +-{spread:g}, {who}"
        rows.append(shares(name, ERRORS, wandering(random, wide, rate, spread, shared), "<= 5 %"))
    return rows


def power(random: np.random.Generator) -> list[Row]:
    shape, many, long = Shape(400, 120, 30), Shape(200, 80, 30), Shape(100, 40, 750)
    rows = []
    for before, after, goal in ((0.02, 0.05, "<= 900"), (0.001, 0.01, "")):
        arms = errors(random, shape, before), errors(random, shape, after)
        rows += caught(f"errors {before:.1%} -> {after:.1%}", ERRORS, arms, (">= 99 %", goal))
    for tail, kind, judged, size, goal in (
        ("lognormal", LATENCY, "p99", long, ""),
        ("pareto", LATENCY, "p99", long, ""),
        ("lognormal", SLOWER, "all ranks", many, "<= 900"),
        ("pareto", SLOWER, "all ranks", many, ""),
    ):
        arms = latencies(random, size, 0.0, tail), 1.2 * latencies(random, size, 0.0, tail)
        rows += caught(f"latency + 20 %, {tail} tail, judged by {judged}", kind, arms, (">= 99 %", goal))
    return rows


def prices(random: np.random.Generator) -> list[Row]:
    """Requests an arm until an error rate that rose is found, and what each safeguard adds, beside Wald's bound."""
    rows = []
    for before, after in ((0.02, 0.05), (0.001, 0.01)):
        shape = Shape(400, 120, 30)
        arms = errors(random, shape, before), errors(random, shape, after)
        bound = wald(before, after, POLICY.significance("errors"))
        kinds = {"no history": (UNKNOWN, 0), "history": (KNOWN, 0), "history, 3 changes of weights": (KNOWN, 3)}
        for name, (prior, restarts) in {**kinds, "no discount at all": (CERTAIN, 0)}.items():
            first = error_alarms(arms, prior, restarts)
            spent = float(np.mean(shape.size * np.where(first > 0, first, shape.observations)))
            rows.append(_priced(f"errors {before:.1%} -> {after:.1%}, {name}", spent, bound))
    for looks in (60, 90):
        shape = Shape(400, looks, 100)
        arms = errors(random, shape, 0.02), errors(random, shape, 0.02)
        for name, prior in {"no history": UNKNOWN, "history": KNOWN}.items():
            first = promotions(arms, 0.01, prior=prior)
            spent = float(np.mean(shape.size * np.where(first > 0, first, looks)))
            title = f"equal at 2 %, {looks * shape.size:,} given, {name}: {np.mean(first > 0):.0%} promoted"
            rows.append(_priced(title, spent, wald(0.02, 0.02, POLICY.false_promotion, 0.01)))
    return rows


def _priced(name: str, spent: float, bound: float) -> Row:
    return Row(name, spent, bound, "mean requests an arm", "", "lower", "other: Wald's bound log(1/level)/KL")


def wald(before: float, after: float, level: float, margin: float = 0.0) -> float:
    """Requests an arm that a sequential test takes on average at least: log(1 / level) over the distance to the nearest
    pair of rates that differ by the margin."""
    null = np.linspace(1e-5, 0.2, 20_000)
    return decision.enough(level) / float(np.min(_distance(before, null) + _distance(after, null + margin)))


def _distance(rate: float, others: Floats) -> Floats:
    found: Floats = rate * np.log(rate / others) + (1 - rate) * np.log((1 - rate) / (1 - others))
    return found


def pairs(random: np.random.Generator) -> list[Row]:
    """Shadow requests, asked of both arms, beside as many requests asked of one arm each."""
    arms = losses(random, Shape(100, 80, 40), 0.0, 1.0)
    rows = caught("mean Brier loss + 0.02, in pairs", QUALITY, arms, (">= 99 %", ""))
    apart = unpaired_alarms(arms)
    spent = float(np.mean(np.where(apart > 0, apart, arms[0].shape[1]) * arms[0].shape[2]))
    name = "the same, requests of both arms together"
    return [
        *rows,
        Row(name, 2 * rows[1].ours, spent, "mean", "< 1x", "lower", "other: ours, one arm a request"),
    ]


@dataclass(frozen=True)
class Replayed:
    """The flights pipeline's rollout of a network over logistic regression: real losses in the order of their labels.

    80 rows a look, `SHADOWED` of them asked of both arms, all of them once more counted as requests; no promotion
    before the steps' 2,000 rows. Differences are centred over the five weeks, then worsened by `worse`.
    """

    worse: float
    margin: float = 0.02
    budget: int = 12_000

    ROWS, SHADOWED, STEPS = 80, 24, 25  # rows and pairs a look; looks before full traffic

    def end(self, differences: Floats, start: int) -> tuple[str, int]:
        """What became of the rollout that begins at a row, and after how many requests."""
        policy = Policy.of(errors=0.01, latency=1.0, quality=self.margin, false_rollback=0.05, budget=self.budget)
        harmful, safe = decision.enough(policy.significance("quality")), decision.enough(policy.false_promotion)
        spaced = start + np.linspace(0, self.ROWS, self.SHADOWED, endpoint=False).astype(int)
        observations: list[Floats] = []
        requests = 0
        while requests < self.budget:
            observations.append(np.clip(differences[spaced + len(observations) * self.ROWS] + self.worse, -1, 1))
            requests += self.ROWS + self.SHADOWED
            comparison = QualityComparison(observations, (0, 0))
            if decision.harm(comparison, self.margin / 4) >= harmful:
                return "rolled back", requests
            if len(observations) >= self.STEPS and decision.safety(comparison, self.margin) >= safe:
                return "promoted", requests
        return "undecided", requests


def equals(random: np.random.Generator) -> list[Row]:
    """An equal candidate and worse ones in the flights pipeline."""
    differences = np.load(FLIGHTS)["differences"].astype(float)
    differences -= differences.mean()
    rows = []
    cases = (
        (Replayed(0.0), "promoted", ">= 97 %"),
        (Replayed(0.0, budget=9_000), "promoted", ""),
        (Replayed(0.02), "promoted", "<= 5 %"),
        (Replayed(0.04), "rolled back", ""),
    )
    for case, ending, goal in cases:
        starts = random.integers(0, len(differences) - case.budget, 150)
        ends = [case.end(differences, int(start)) for start in starts]
        share = 100 * float(np.mean([end == ending for end, _ in ends]))
        spent = [requests for end, requests in ends if end == ending] or [0]
        told = f"requests: median {np.median(spent):,.0f}, 90 % within {np.quantile(spent, 0.9):,.0f}"
        better: Literal["higher", "lower"] = "lower" if goal.startswith("<=") else "higher"
        name = f"flights, candidate worse by {case.worse:g}, {case.budget:,} given: {ending} ({len(ends)} rollouts)"
        rows.append(Row(name, share, 100.0, "%", goal, better, f"other: all of them; {told}"))
    return rows


if __name__ == "__main__":
    main(measure)
