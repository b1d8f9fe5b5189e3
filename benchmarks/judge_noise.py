"""Simulated rollouts: what each request of both arms shows, with noise that requests, looks or arms share."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import expit, logit
from scipy.stats import norm

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """Rollouts, looks of each, and requests an arm and look."""

    runs: int
    observations: int
    size: int

    @property
    def series(self) -> tuple[int, int]:
        return self.runs, self.observations * self.size

    @property
    def cube(self) -> tuple[int, int, int]:
        return self.runs, self.observations, self.size


def autoregression(random: np.random.Generator, correlation: float, shape: tuple[int, ...]) -> Floats:
    """Stationary Gaussian AR(1) of unit variance along the last axis."""
    shocks = random.standard_normal(shape)
    shocks[..., 1:] *= math.sqrt(1 - correlation**2)
    series: Floats = lfilter([1.0], [1.0, -correlation], shocks, axis=-1)
    return series


def errors(random: np.random.Generator, shape: Shape, rate: float, correlation: float = 0.0) -> Floats:
    """1 for a failed request, [runs, looks, size]; neighbouring requests depend on each other."""
    noise = autoregression(random, correlation, shape.series)
    return (norm.cdf(noise) < rate).astype(float).reshape(shape.cube)


def wandering(
    random: np.random.Generator, shape: Shape, rate: float, spread: float, shared: bool
) -> tuple[Floats, Floats]:
    """Failures of two arms whose log-odds move from look to look by an AR(1) of 0.8 and that standard deviation.

    `shared`: both arms move together, as traffic split at random does; else each on its own.
    """
    moves = [autoregression(random, 0.8, (shape.runs, shape.observations)) for _ in range(2)]
    rates = [expit(logit(rate) + spread * moves[0 if shared else arm]) for arm in range(2)]
    stable, candidate = ((random.random(shape.cube) < each[..., None]).astype(float) for each in rates)
    return stable, candidate


def latencies(random: np.random.Generator, shape: Shape, correlation: float = 0.0, tail: str = "lognormal") -> Floats:
    """Seconds with median 10 ms, [runs, looks, size]: log-normal with sigma 1, or Pareto with tail index 3."""
    noise = autoregression(random, correlation, shape.series).reshape(shape.cube)
    if tail == "lognormal":
        return 0.01 * np.exp(noise)
    pareto: Floats = 0.01 / (2 * norm.sf(noise)) ** (1 / 3)
    return pareto


def losses(random: np.random.Generator, shape: Shape, correlation: float, error: float) -> tuple[Floats, Floats]:
    """Brier losses of two models on the same requests, [runs, looks, size]; a fifth of the labels is 1.

    Each model's log-odds miss the truth by an AR(1) of its own with standard deviation 0.4, the candidate's by `error`.
    """
    truth = -1.6 + autoregression(random, correlation, shape.series)
    labels = random.random(shape.series) < expit(truth)
    missed = [scale * autoregression(random, correlation, shape.series) for scale in (0.4, error)]
    stable, candidate = ((expit(truth + miss) - labels) ** 2 for miss in missed)
    return stable.reshape(shape.cube), candidate.reshape(shape.cube)


def bursts(random: np.random.Generator, shape: Shape, rate: float, length: int) -> Floats:
    """1 for a failed request, [runs, looks, size]: what fails, fails for so many requests in a row."""
    runs, requests = shape.series
    begun = np.cumsum(random.random((runs, requests + length)) < rate / length, axis=1)
    failed: Floats = (begun[:, length:] > begun[:, :-length]).astype(float).reshape(shape.cube)
    return failed
