"""Evidence that survives observations which depend on each other, and faults that begin in the middle.

An e-value raised to a power in (0, 1] never passes a threshold above one that the e-value did not pass, so tempering
by 1 / (variance inflation) keeps the guarantee for independent observations exactly, whatever the estimate of the
inflation, and for dependent ones it shrinks evidence as a Gaussian log likelihood ratio must be shrunk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]

PRIOR_LOOKS, PRIOR_DISPERSION = 3.0, 2.0  # looks, and their variance ratio, that the estimate of dispersion starts from
WHOLE = 0.8  # share of the significance spent on the window of all looks; the rest on later starts
MIN_SERIES, MAX_CORRELATION = 20, 0.95


@dataclass(frozen=True)
class Noise:
    """A difference of each look, and the variance it would have under independence: arrays of shape [looks].

    `serial` is the inflation that the order of single observations shows, at least 1.
    """

    differences: Floats
    variances: Floats
    serial: float = 1.0

    @cached_property
    def inflations(self) -> Floats:
        """See `inflations`."""
        return inflations(self)

    @property
    def inflation(self) -> float:
        """Of the window of all looks; 1 before the first."""
        return float(self.inflations[0]) if self.variances.size else 1.0


def inflations(noise: Noise) -> Floats:
    """Variance inflation of the windows that start at each look and end at the last one, [looks], each >= 1.

    Dispersion of the looks' differences about their window's mean over what independence explains (batch means,
    Alexopoulos and Goldsman 2004), times the correction for lag-one correlation between looks.
    """
    weights = 1 / noise.variances
    seen = (weights > 0).astype(float)
    total, count = _tail(weights), _tail(seen)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _tail(weights * noise.differences) / total
    squares = np.nan_to_num(_tail(weights * noise.differences**2) - total * mean**2).clip(min=0)
    dispersion = (PRIOR_LOOKS * PRIOR_DISPERSION + squares) / (PRIOR_LOOKS + np.maximum(count - 1, 0))
    correlation = _correlations(np.sqrt(weights), noise.differences, np.nan_to_num(mean), squares, count)
    return np.maximum(noise.serial, dispersion * (1 + correlation) / (1 - correlation)).clip(min=1.0)


def serial_inflation(series: Sequence[Floats]) -> float:
    """Variance inflation of a first-order autoregression with the series' pooled lag-one rank correlation, at least 1.

    Series of fewer than MIN_SERIES values say nothing. Ranks make it robust against heavy tails.
    """
    long = [rankdata(values) for values in series if values.size >= MIN_SERIES]
    centred = [ranks - ranks.mean() for ranks in long]
    power = sum(float(ranks @ ranks) for ranks in centred)
    if power == 0:
        return 1.0
    correlation = min(max(sum(float(ranks[1:] @ ranks[:-1]) for ranks in centred) / power, 0.0), MAX_CORRELATION)
    return (1 + correlation) / (1 - correlation)


def _tail(values: Floats) -> Floats:
    """Sums from each position to the end."""
    sums: Floats = np.cumsum(values[::-1])[::-1]
    return sums


def _correlations(scale: Floats, differences: Floats, mean: Floats, squares: Floats, count: Floats) -> Floats:
    """Lag-one correlation of each window's standardized residuals, less one standard error, never negative."""
    products = np.append(scale[1:] * scale[:-1], 0.0)
    following = np.append(differences[1:], 0.0)
    crossed = (
        _tail(products * differences * following)
        - mean * _tail(products * (differences + following))
        + mean**2 * _tail(products)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = crossed / squares - 1 / np.sqrt(count)
    return np.nan_to_num(estimate, nan=0.0, posinf=0.0, neginf=0.0).clip(0.0, MAX_CORRELATION)


def whole(log_bets: Floats, noise: Noise) -> float:
    """Tempered log e-value of all looks; alternatives are averaged."""
    return float(_mixture(log_bets.sum(axis=0))) / noise.inflation


def strongest(log_bets: Floats, noise: Noise) -> float:
    """Tempered log e-value of the most telling window.

    Windows from each look on share the significance (a mixture over change points, as in Shin, Ramdas and Rinaldo
    2024), so that a fault that begins late is not outweighed by a healthy past.
    """
    looks = len(log_bets)
    if looks == 0:
        return 0.0
    evidence = _mixture(np.cumsum(log_bets[::-1], axis=0)[::-1])
    tempered = _log_shares(looks) + np.where(evidence > 0, evidence / noise.inflations, evidence)
    return float(tempered.max())


def _log_shares(looks: int) -> Floats:
    """Windows' shares: WHOLE for the first, the rest in proportion to 1 / (start (start + 1)), which sums to one."""
    start = np.arange(1, looks)
    shares: Floats = np.log(np.concatenate([[WHOLE], (1 - WHOLE) / (start * (start + 1))]))
    return shares


def _mixture(logs: Floats) -> Floats:
    """Average over alternatives: the last axis."""
    average: Floats = np.logaddexp.reduce(logs, axis=-1) - np.log(logs.shape[-1])
    return average
