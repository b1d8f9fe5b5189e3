"""What rollouts meet: common noise, users, starts and latencies, as arrays [rollouts, looks, requests] of each arm."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from benchmarks.judge_noise import Shape, latencies

Floats = NDArray[np.float64]
Arms = tuple[Floats, Floats]  # stable, candidate


def both(random: np.random.Generator, shape: Shape, rates: Floats | float, times: float = 1.0) -> Arms:
    """Failures of two arms at the same rates, [looks] or one; the candidate's odds are `times` as large."""
    wanted = np.broadcast_to(np.asarray(rates, dtype=float), (shape.observations,))[None, :, None]
    worse = expit(logit(wanted) + np.log(times))
    stable, candidate = ((random.random(shape.cube) < rate).astype(float) for rate in (wanted, worse))
    return stable, candidate


def daily(shape: Shape, usual: float, factor: float) -> Floats:
    """A figure that rises to `factor` times the usual and falls again within the looks, [looks]."""
    phase = np.linspace(0, 2 * np.pi, shape.observations)
    figures: Floats = usual * factor ** ((1 - np.cos(phase)) / 2)
    return figures


def retried(random: np.random.Generator, shape: Shape, rate: float, again: float = 0.7) -> Floats:
    """Failures of clients that ask again at once: after a failure the next request fails with the chance `again`."""
    runs, requests = shape.series
    begins = rate * (1 - again) / (1 - rate)
    failed = np.zeros((runs, requests))
    draws = random.random((runs, requests))
    failed[:, 0] = draws[:, 0] < rate
    for place in range(1, requests):
        failed[:, place] = draws[:, place] < np.where(failed[:, place - 1] > 0, again, begins)
    return failed.reshape(shape.cube)


def sticky(random: np.random.Generator, shape: Shape, rate: float, users: int = 1_000, share: float = 0.05) -> Floats:
    """Failures where users stay with an arm, and a few of them have all the failures."""
    unlucky = random.random((shape.runs, users)) < share
    who = random.integers(0, users, shape.series)
    chance = np.take_along_axis(unlucky, who, axis=1) * (rate / share)
    return (random.random(shape.series) < chance).astype(float).reshape(shape.cube)


def discrete(seconds: Floats) -> Floats:
    """As a server that measures whole milliseconds tells it."""
    return np.ceil(seconds * 1_000) / 1_000


def bimodal(random: np.random.Generator, shape: Shape, hits: float = 0.8) -> Floats:
    """Seconds of a cache: a hit takes about 2 ms, all else about 100."""
    hit = random.random(shape.cube) < hits
    return np.where(hit, 0.2, 10.0) * latencies(random, shape) ** 0.3 * 0.01**0.7


def cold(seconds: Floats, looks: int = 1, factor: float = 3.0) -> Floats:
    """The first looks are slow."""
    slow = seconds.copy()
    slow[:, :looks] *= factor
    return slow


def delayed(values: Floats, looks: int) -> list[Floats]:
    """Values by rollout and look, those of a look known so many looks later; [rollouts * looks] arrays."""
    runs, observations, _ = values.shape
    nothing = np.zeros(0)
    return [
        values[run, look - looks] if look >= looks else nothing for run in range(runs) for look in range(observations)
    ]
