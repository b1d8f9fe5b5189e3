"""The judge's goals, each row measured in one run: requests an arm until it is sure, how often, and a bound beside it.

*History*: 200 earlier looks that differed as independent requests do, or rollouts of two equal arms where the noise is
the question. The bound is Wald's, log(1 / level) / KL: no test whose chance of error is the level decides sooner on
average, where it is asked after each request and knows both arms' true rates, which ours does not.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from seaway.rollout import Policy
from seaway.rollout.judge import autocorrelation
from seaway.rollout.judge.autocorrelation import UNKNOWN
from seaway.rollout.judge.bets import Bets
from seaway.rollout.judge.criteria import LatencyComparison
from seaway.rollout.judge.decision import enough
from seaway.rollout.judge.latency import Latencies
from seaway.rollout.judge.proportions import Table
from seaway.rollout.judge.verdict import Hypothesis

from benchmarks import Row, main
from benchmarks.judge import (
    CERTAIN,
    KNOWN,
    LATENCY_LEVEL,
    POLICY,
    Arms,
    after_history,
    alarms_in,
    distribution_alarms,
    error_alarms,
    latency_alarms,
    promotions,
    wald,
)
from benchmarks.judge_noise import Shape, bursts, errors, latencies, wandering
from benchmarks.judge_others import Counts, first_alarms
from benchmarks.judge_peers import FULL_LOOKS, SLOWED, alarms_at_full_traffic, bets_by_rollout
from benchmarks.judge_worlds import both, daily

Floats = NDArray[np.float64]

SEED = 16
HARM = POLICY.significance("errors")
QUANTILE = Policy().significance("latency p90")
HISTORIES = {"no history": UNKNOWN, "history": KNOWN}
BURST = 30  # requests that fail in a row
PAST = 7  # rollouts of 30 looks: some 200 looks
SLOW_SHARE, SLOW_BY = 0.2, 5.0  # of a candidate's requests take that many times as long
NEAR_SHARE = 0.155  # of such, with which p90 is a little more than twice stable's


def measure() -> list[Row]:
    random = np.random.default_rng(SEED)
    parts = (rises, equals, slower, slow_tails, slow_noise, full_traffic, drifts, in_bursts)
    return [row for part in parts for row in part(random)]


def row(name: str, first: Counts, shape: Shape, bound: float, goal: str) -> Row:
    """Requests an arm until the judge was sure, all of them where it never was."""
    spent = float(np.mean(shape.size * np.where(first > 0, first, shape.observations)))
    known = f"{100 * np.mean(first > 0):.1f} % of {first.size}, {shape.observations * shape.size:,} given"
    return Row(name, spent, bound, "mean requests an arm", goal, "lower", f"other: Wald's bound; sure in {known}")


def share(name: str, first: Counts, goal: str, better: str = "lower") -> Row:
    figure = 100 * float(np.mean(first > 0))
    return Row(
        f"{name} ({first.size} rollouts)", figure, math.nan, "%", goal, "higher" if better == "higher" else "lower"
    )


def rises(random: np.random.Generator) -> list[Row]:
    """Error rates that rose, of independent requests."""
    rows, shape = [], Shape(400, 120, 30)
    for before, after, goal in ((0.02, 0.05, "<= 700"), (0.001, 0.01, "<= 1,150")):
        arms = errors(random, shape, before), errors(random, shape, after)
        kinds = {**{name: (prior, 0) for name, prior in HISTORIES.items()}, "history, 3 changes of weights": (KNOWN, 3)}
        for name, (prior, restarts) in kinds.items():
            title = f"errors {before:.1%} -> {after:.1%}, {name}"
            rows.append(row(title, error_alarms(arms, prior, restarts), shape, wald(before, after, HARM), goal))
    return rows


def equals(random: np.random.Generator) -> list[Row]:
    """Equal candidates at 2 %, until they are shown to be within a margin of 1 %."""
    rows, level = [], POLICY.false_promotion
    for looks in (200, 250, 300):
        shape = Shape(400, looks, 30)
        arms = errors(random, shape, 0.02), errors(random, shape, 0.02)
        for name, prior in HISTORIES.items():
            found = promotions(arms, 0.01, prior=prior)
            title = f"equal at 2 %, margin 1 %, {name}"
            rows.append(row(title, found, shape, wald(0.02, 0.02, level, 0.01), "<= 2,850, >= 97 %"))
    return rows


def slower(random: np.random.Generator) -> list[Row]:
    """All latencies a fifth longer, log-normal; the bound is that of their logarithms' means."""
    shape = Shape(200, 80, 30)
    arms = latencies(random, shape), 1.2 * latencies(random, shape)
    bound = enough(LATENCY_LEVEL) / (math.log(1.2) ** 2 / 4)
    return [
        row(f"all latencies + 20 %, {name}", distribution_alarms(arms, prior=prior), shape, bound, "<= 900, >= 99 %")
        for name, prior in HISTORIES.items()
    ]


def slow_tails(random: np.random.Generator) -> list[Row]:
    """A share of slow requests, by p90 alone at its part of the significance."""
    shape = Shape(100, 40, 30)
    arms = latencies(random, shape) ** 0.5, _slowed(random, latencies(random, shape) ** 0.5, SLOW_SHARE)
    times = np.quantile(arms[1], 0.9) / np.quantile(arms[0], 0.9)
    return [
        row(
            f"p90 x {times:.2f}, {tolerated:.0%} tolerated, no history",
            latency_alarms(arms, 0.9, enough(QUANTILE), tolerated),
            shape,
            math.nan,
            "<= 250",
        )
        for tolerated in (0.0, SLOWED - 1.25)
    ]


def _slowed(random: np.random.Generator, seconds: Floats, part: float) -> Floats:
    return np.where(random.random(seconds.shape) < part, SLOW_BY, 1.0) * seconds


def slow_noise(random: np.random.Generator) -> list[Row]:
    """False rollbacks where each arm's log odds of an error wander slowly on their own."""
    shape = Shape(400, 30, 100)
    *past, arms = (wandering(random, shape, 0.1, 0.5, shared=False) for _ in range(PAST + 1))
    name = "slow noise of each arm +-0.5, errors of 10 %, rolled back"
    return [
        share(f"{name}, no history", error_alarms(arms), "<= 2 %"),
        *(share(f"{name}, after {known} rollouts", after_history(past[:known], arms), "<= 2 %") for known in (3, PAST)),
    ]


def full_traffic(random: np.random.Generator) -> list[Row]:
    """Faults that begin at full traffic, where 30 % of the requests are asked of stable as well."""
    rows = []
    for rate in (0.1, 0.999):
        before = both(random, Shape(300, 20, 100), 0.01)
        ending = errors(random, Shape(300, FULL_LOOKS, 30), 0.01), errors(random, Shape(300, FULL_LOOKS, 100), rate)
        found = alarms_at_full_traffic(before, ending)
        rows.append(share(f"errors 1 -> {rate:.0%} at full traffic only, caught", found, ">= 95 %", "higher"))
    return rows


def drifts(random: np.random.Generator) -> list[Row]:
    """Promotions of a candidate whose p90 is beyond the margin, while both arms' latencies change."""
    shape = Shape(300, 25, 60)
    rise = 1.2 ** np.arange(shape.observations)
    shapes = {
        "no drift": 1.0,
        "cycle x 2": daily(shape, 1.0, 2),
        "cycle x 5": daily(shape, 1.0, 5),
        "steady rise": rise,
    }
    rows = []
    for name, drift in shapes.items():
        common = np.broadcast_to(drift, shape.observations)[None, :, None]
        stable, candidate = (common * latencies(random, shape) ** 0.5 for _ in range(2))
        candidate = _slowed(random, candidate, NEAR_SHARE)
        times = np.median(np.quantile(candidate, 0.9, axis=-1) / np.quantile(stable, 0.9, axis=-1))
        title = f"p90 x {times:.2f} where twice is the margin, {name}, promoted"
        rows.append(share(title, _shown_safe((stable, candidate), 1.0), "<= 5 %"))
    return rows


def _shown_safe(arms: Arms, margin: float) -> Counts:
    looks = [list(arm.reshape(-1, arm.shape[-1])) for arm in arms]
    staked = LatencyComparison(Latencies(*looks), 0.9).bets(Hypothesis.SAFETY, margin)[0]
    bets = bets_by_rollout(staked, arms[0].shape[0])

    def safe(rows: Counts, seen: int) -> NDArray[np.bool_]:
        noise = _until(bets, rows, seen)
        found: NDArray[np.bool_] = autocorrelation.whole(bets.log_e[rows, :seen], noise, bets.prior) >= enough(
            POLICY.false_promotion
        )
        return found

    return first_alarms(*bets.log_e.shape[:2], safe)


def _until(bets: Bets, rows: Counts, seen: int) -> autocorrelation.Noise:
    noise = bets.noise
    return replace(noise, differences=noise.differences[rows, :seen], variances=noise.variances[rows, :seen])


def in_bursts(random: np.random.Generator) -> list[Row]:
    """Errors of 2 and 8 % in bursts: ours, and one that is told which failures are one burst."""
    rows = []
    for looks in (30, 150):
        shape = Shape(200, looks, 100)
        arms = bursts(random, shape, 0.02, BURST), bursts(random, shape, 0.08, BURST)
        *past, _ = ((bursts(random, shape, 0.02, BURST), bursts(random, shape, 0.02, BURST)) for _ in range(PAST + 1))
        found = {
            "no history": error_alarms(arms),
            f"after {PAST} rollouts": after_history(past, arms),
            "told which failures are one": _told(random, shape, (0.02, 0.08)),
        }
        bound = _bursts_bound(0.02, 0.08)
        rows += [
            row(f"2 -> 8 % in bursts of {BURST}, {name}", first, shape, bound, "") for name, first in found.items()
        ]
    return rows


def _told(random: np.random.Generator, shape: Shape, rates: Sequence[float]) -> Counts:
    """First alarms of the judge on bursts that are counted once, and depend on nothing."""
    begun = [
        random.binomial(shape.size, rate / BURST, (shape.runs, shape.observations)).astype(float) for rate in rates
    ]
    trials = np.full(begun[0].shape, float(shape.size))
    return alarms_in(Table(trials, begun[0], trials, begun[1]), CERTAIN)


def _bursts_bound(before: float, after: float) -> float:
    """Wald's, of the rates at which bursts begin, which are Poisson's."""
    begun = np.array([before, after]) / BURST
    return enough(HARM) / float(np.sum(begun * np.log(begun / begun.mean())))


if __name__ == "__main__":
    main(measure)
