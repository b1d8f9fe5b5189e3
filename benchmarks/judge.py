"""The judge beside two common ones, by simulation: false rollbacks over 30 looks, power, and requests until caught.

Settings: 30 requests an arm and look; 2 % of requests fail, in the faulty candidate 5 %; or 0.1 % and 1 %. Dependent
errors are thresholds of a Gaussian AR(1) series of requests. All judges see the same looks. Seeds are fixed.
"""

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import mannwhitneyu, norm
from seaway.rollout import ArmLook, Look, Policy
from seaway.rollout.comparing import ErrorComparison
from seaway.rollout.judging import harm

from benchmarks import Row, main

LOOKS, SIZE, RUNS = 30, 30, 100
HORIZON = 120  # looks that a faulty candidate is given
ENOUGH = math.log(1 / Policy().significance("errors"))

Counts = NDArray[np.int64]
Judge = Callable[[Counts, Counts], bool]


def ours(stable: Counts, candidate: Counts) -> bool:
    looks = [
        Look(0.0, ArmLook(SIZE, int(one)), ArmLook(SIZE, int(two))) for one, two in zip(stable, candidate, strict=True)
    ]
    return harm(ErrorComparison.of(looks), 0.0) >= ENOUGH


def mann_whitney(stable: Counts, candidate: Counts) -> bool:
    """Error rates of all looks so far compared at every look at 5 %, as Kayenta compares time series."""
    return len(stable) > 1 and bool(mannwhitneyu(candidate, stable, alternative="greater").pvalue < 0.05)


def threshold(stable: Counts, candidate: Counts) -> bool:
    """More than 5 % errors in five looks of the rollout, as Flagger counts failed checks."""
    return int(np.sum(candidate > 0.05 * SIZE)) >= 5


def errors(random: np.random.Generator, rate: float, correlation: float, looks: int) -> Counts:
    """Errors of each look, [looks]."""
    noise = random.standard_normal(looks * SIZE)
    noise[1:] *= math.sqrt(1 - correlation**2)
    failed = norm.cdf(lfilter([1.0], [1.0, -correlation], noise)) < rate
    counts: Counts = failed.reshape(looks, SIZE).sum(axis=1)
    return counts


def first_alarm(judge: Judge, stable: Counts, candidate: Counts) -> int:
    """The look at which the judge rolls back; 0 if it never does."""
    return next((seen for seen in range(1, len(stable) + 1) if judge(stable[:seen], candidate[:seen])), 0)


@functools.cache
def alarms(judge: Judge, rate: float, correlation: float, looks: int, stable: float = 0.02) -> Sequence[int]:
    """First alarms of RUNS rollouts of a candidate with that error rate beside a stable arm with 2 %, or another."""
    random = np.random.default_rng(2013)
    pairs = [[errors(random, each, correlation, looks) for each in (stable, rate)] for _ in range(RUNS)]
    return [first_alarm(judge, *pair) for pair in pairs]


def measure() -> list[Row]:
    others = {"Mann-Whitney at each look": mann_whitney, "5 looks above 5 %": threshold}
    return [row for name, other in others.items() for row in compare(name, other)]


def compare(name: str, other: Judge) -> list[Row]:
    """False rollbacks under each kind of noise, then power and requests until caught."""
    rows = []
    for correlation in (0.0, 0.5, 0.8):
        false = [100 * np.mean(np.array(alarms(judge, 0.02, correlation, LOOKS)) > 0) for judge in (ours, other)]
        title = f"false rollbacks, AR(1) {correlation:g}" if correlation else "false rollbacks, independent errors"
        rows.append(Row(title, *map(float, false), unit="%", goal="ours <= 5 %", better="lower", note=name))
    caught = [np.array(alarms(judge, 0.05, 0.0, HORIZON)) for judge in (ours, other)]
    power = [float(100 * np.mean(each > 0)) for each in caught]
    spent = [float(SIZE * np.mean(np.where(each > 0, each, HORIZON))) for each in caught]
    rows.append(Row("2 % -> 5 % errors caught", *power, unit="%", goal="ours >= 99 %", better="higher", note=name))
    rows.append(Row("requests an arm until caught", *spent, unit="mean", goal="ours <= 900", better="lower", note=name))
    rare = [float(100 * np.mean(np.array(alarms(judge, 0.01, 0.0, HORIZON, 0.001)) > 0)) for judge in (ours, other)]
    rows.append(Row("0.1 % -> 1 % errors caught", *rare, unit="%", goal="ours >= 99 %", better="higher", note=name))
    return rows


if __name__ == "__main__":
    main(measure)
