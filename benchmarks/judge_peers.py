"""The judge and its peers in the same rollouts: what each does to equal candidates, and to faulty ones.

Each line is a kind of world; a judge's figure is the share of rollouts that it stopped within 30 looks. Ours is given
no history unless the line says so. A line of equal candidates is good where the figure is small, one of faulty ones
where it is large.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from seaway.rollout.judge import autocorrelation
from seaway.rollout.judge.bets import Bets
from seaway.rollout.judge.criteria import Comparison, DistributionComparison, ErrorComparison, QualityComparison
from seaway.rollout.judge.decision import enough as enough_for
from seaway.rollout.judge.latency import Latencies
from seaway.rollout.judge.proportions import Table
from seaway.rollout.judge.verdict import Hypothesis

from benchmarks import Row, main
from benchmarks.judge import (
    LATENCY_LEVEL,
    QUALITY,
    SLOWER,
    Arms,
    Kind,
    after_history,
    enough,
    error_alarms,
    mean,
    p99,
    shares,
    table_of,
)
from benchmarks.judge_noise import Shape, bursts, latencies, losses, wandering
from benchmarks.judge_others import Bars, Counts, first_alarms
from benchmarks.judge_worlds import bimodal, both, cold, daily, delayed, discrete, retried, sticky

Floats = NDArray[np.float64]

SEED = 2026
MANY, FEW = Shape(300, 30, 100), Shape(100, 30, 60)
PAST = 7  # equal rollouts of that endpoint which a judge with a history has seen before: some 200 looks
TOLERATED, SLOWED = 0.25, 1.5  # of latencies: the policy's tolerance, and what a faulty candidate multiplies them by
LATE = 5  # looks that a label takes
CONTROL = 0.3  # share of the requests asked of both arms at full traffic
FULL_LOOKS = 10


def measure() -> list[Row]:
    random = np.random.default_rng(SEED)
    return [*equal_errors(random), *faulty_errors(random), *latency(random), *quality(random)]


def stopped(name: str, kind: Kind, arms: Arms) -> Row:
    """Of faulty candidates."""
    return replace(shares(f"faulty, {name}", kind, arms, ">= 95 %"), better="higher")


def failures(usual: float, alarms: Callable[[Arms], Counts] = error_alarms) -> Kind:
    """Judged by error rates; bars three and eight points above the usual rate."""
    return Kind(alarms, mean, Bars(usual + 0.03, usual + 0.08))


def equal_errors(random: np.random.Generator) -> list[Row]:
    """Candidates that fail as often as stable."""
    worlds: list[tuple[str, float, Arms]] = [
        (f"errors of {rate:.1%}", rate, both(random, MANY, rate)) for rate in (0.001, 0.02, 0.1)
    ]
    worlds += [
        (f"errors of 2 %, daily cycle x {factor:g}", 0.02, both(random, MANY, daily(MANY, 0.02, factor)))
        for factor in (2, 5)
    ]
    worlds += [
        ("errors of 2 % in bursts of 30", 0.02, (bursts(random, MANY, 0.02, 30), bursts(random, MANY, 0.02, 30))),
        ("errors of 2 %, retried at once", 0.02, (retried(random, MANY, 0.02), retried(random, MANY, 0.02))),
        ("errors of 2 %, sticky users", 0.02, (sticky(random, MANY, 0.02), sticky(random, MANY, 0.02))),
        ("errors of 10 %, noise of each arm +-0.2", 0.1, wandering(random, MANY, 0.1, 0.2, shared=False)),
    ]
    rows = [shares(f"equal, {name}", failures(usual), arms, "<= 5 %") for name, usual, arms in worlds]
    noisy = wandering(random, MANY, 0.1, 0.5, shared=False)
    past = [wandering(random, MANY, 0.1, 0.5, shared=False) for _ in range(PAST)]
    name = "equal, errors of 10 %, noise of each arm +-0.5"
    return [
        *rows,
        shares(name, failures(0.1), noisy, "<= 2 %"),
        shares(
            f"{name}, after {PAST} rollouts", failures(0.1, lambda arms: after_history(past, arms)), noisy, "<= 2 %"
        ),
    ]


def faulty_errors(random: np.random.Generator) -> list[Row]:
    """Candidates that fail more often."""
    worlds: list[tuple[str, float, Arms]] = [
        ("errors of 2 %, 2.6 times the odds", 0.02, both(random, MANY, 0.02, 2.6)),
        ("errors of 10 %, twice the odds", 0.1, both(random, MANY, 0.1, 2.0)),
        ("daily cycle x 5, 2.6 times the odds", 0.02, both(random, MANY, daily(MANY, 0.02, 5), 2.6)),
        ("bursts of 30, 2 to 8 %", 0.02, (bursts(random, MANY, 0.02, 30), bursts(random, MANY, 0.08, 30))),
    ]
    rows = [stopped(name, failures(usual), arms) for name, usual, arms in worlds]
    before = both(random, Shape(MANY.runs, MANY.observations - FULL_LOOKS, MANY.size), 0.01)
    full = Shape(MANY.runs, FULL_LOOKS, round(MANY.size * CONTROL))
    ending = both(random, full, 0.01)[0], both(random, Shape(full.runs, FULL_LOOKS, MANY.size), 0.1)[0]
    return [*rows, full_traffic("1 to 10 % at full traffic only", before, ending)]


def full_traffic(name: str, before: Arms, ending: Arms) -> Row:
    """A fault that begins where the candidate has all requests, and stable those that are asked of both."""
    figures = [np.concatenate([mean(one), mean(two)], axis=1) for one, two in zip(before, ending, strict=True)]
    ours = alarms_at_full_traffic(before, ending)
    stand_in = Kind(lambda arms: ours, lambda arm: arm, Bars(0.04, 0.09))
    return stopped(name, stand_in, (figures[0], figures[1]))


def alarms_at_full_traffic(before: Arms, ending: Arms) -> Counts:
    """First alarms, 0 for none, of the looks before and at full traffic, with three changes of the weights."""
    parts = [[table_of((one, one)) for one in arm] for arm in zip(before, ending, strict=True)]
    trials, events = (
        [np.concatenate([getattr(part, name) for part in arm], axis=1) for arm in parts]
        for name in ("stable_trials", "stable_events")
    )
    bets = ErrorComparison(Table(trials[0], events[0], trials[1], events[1])).bets(Hypothesis.HARM, 0.0)[0]
    return alarms_of(bets, enough("errors"), changes=[before[0].shape[1]], restarts=3)


def latency(random: np.random.Generator) -> list[Row]:
    """Equal latencies, and half as long again where a quarter is tolerated."""

    def heavy() -> Floats:
        return latencies(random, FEW, 0.0, "pareto")

    draws: dict[str, Callable[[], Floats]] = {
        "heavy tails": heavy,
        "whole milliseconds": lambda: discrete(latencies(random, FEW)),
        "a cache that answers 80 %": lambda: bimodal(random, FEW),
    }
    rows = []
    for name, draw in draws.items():
        kind = replace(SLOWER, alarms=slower_alarms, bars=_bars(draw()))
        rows.append(shares(f"equal, latency with {name}", kind, (draw(), draw()), "<= 5 %"))
        rows.append(stopped(f"latency with {name} x 1.5", kind, (draw(), SLOWED * draw())))
    start = heavy(), cold(heavy())
    kind = replace(SLOWER, alarms=slower_alarms, bars=_bars(start[0]))
    return [*rows, shares("equal, cold start: x 3 in the first look", kind, start, "<= 5 %")]


def _bars(usual: Floats) -> Bars:
    """A person's bars for the p99 of a look: a quarter and a half above the usual one."""
    typical = float(np.median(p99(usual)))
    return Bars(1.25 * typical, 1.5 * typical)


def quality(random: np.random.Generator) -> list[Row]:
    """Losses on the same requests, known late."""
    same = losses(random, Shape(150, 30, 40), 0.0, 0.4)
    worse = losses(random, Shape(150, 30, 40), 0.0, 1.4)
    kind = Kind(late_alarms, mean, QUALITY.bars)
    return [
        shares(f"equal, losses known {LATE} looks late", kind, same, "<= 5 %"),
        stopped(f"mean loss + 0.04, known {LATE} looks late", kind, worse),
    ]


def slower_alarms(arms: Arms) -> Counts:
    looks = [list(arm.reshape(-1, arm.shape[-1])) for arm in arms]
    return compared(DistributionComparison(Latencies(*looks)), arms[0].shape[0], enough_for(LATENCY_LEVEL), TOLERATED)


def late_alarms(arms: Arms) -> Counts:
    late = QualityComparison(delayed(arms[1] - arms[0], LATE), (0, 0))
    return compared(late, arms[0].shape[0], enough("quality"), 0.0)


def compared(comparison: Comparison, runs: int, level: float, bound: float) -> Counts:
    """Alarms of rollouts whose looks stand in one comparison, one rollout after the other."""
    bets = comparison.bets(Hypothesis.HARM, bound)[0]
    return alarms_of(bets_by_rollout(bets, runs), level)


def bets_by_rollout(bets: Bets, runs: int) -> Bets:
    """Bets of looks one after the other, [rollouts, looks, alternatives]."""
    parts = [part.reshape(runs, -1) for part in (bets.noise.differences, bets.noise.variances)]
    noise = replace(bets.noise, differences=parts[0], variances=parts[1])
    return Bets(bets.log_e.reshape(runs, -1, bets.log_e.shape[-1]), noise, bets.prior)


def alarms_of(bets: Bets, level: float, changes: Sequence[int] = (), restarts: int = 0) -> Counts:
    """First alarms, 0 for none, of bets [rollouts, looks, alternatives]."""
    noise = bets.noise

    def alarmed(rows: Counts, seen: int) -> NDArray[np.bool_]:
        known = replace(noise, differences=noise.differences[rows, :seen], variances=noise.variances[rows, :seen])
        begun = [change for change in changes if change < seen]
        found: NDArray[np.bool_] = (
            autocorrelation.strongest(bets.log_e[rows, :seen], known, bets.prior, begun, restarts) >= level
        )
        return found

    return first_alarms(*bets.log_e.shape[:2], alarmed)


if __name__ == "__main__":
    main(measure)
