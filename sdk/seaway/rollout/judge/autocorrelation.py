"""Evidence that survives observations which depend on each other, and faults that begin in the middle.

Looks of equal arms differ more than independent requests explain: bursts, caches, neighbours. How much more is
estimated from the looks themselves, and evidence is discounted for it as Student's t discounts a normal deviate. The
discounted e-value never passes a threshold above one that the e-value itself did not pass, so the guarantee for
independent observations stays exact, whatever the estimate; for dependent ones it is approximate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]

PRIOR_LOOKS = 2.0  # looks as independence has them that every estimate of dispersion starts from
WHOLE = 0.9  # share of the significance spent on the window of all looks; the rest on later starts
MIN_SERIES, MAX_CORRELATION = 20, 0.95


@dataclass(frozen=True)
class Noise:
    """A difference of each look, and the variance it would have under independence: arrays of shape [..., looks].

    `serial`, [...], is the inflation that the order of single observations shows, at least 1. Leading axes are rollouts
    judged at once.
    """

    differences: Floats
    variances: Floats
    serial: float | Floats = 1.0

    @cached_property
    def spreads(self) -> "Spreads":
        """See `spreads`."""
        return spreads(self)

    @property
    def inflation(self) -> Floats:
        """Of the window of all looks, [...]; 1 before the first."""
        first: Floats = self.spreads.inflations[..., 0] if self.variances.size else np.ones(self.variances.shape[:-1])
        return first


@dataclass(frozen=True)
class Spreads:
    """For the windows that start at each look and end at the last one, [..., looks].

    `inflations` are variances over those of independent observations, at least 1; `freedom` are the degrees of freedom
    that their estimates rest on.
    """

    inflations: Floats
    freedom: Floats

    def discount(self, log_e: Floats) -> Floats:
        """Student's log likelihood ratio in place of the normal one: log e-values of the windows, [..., looks].

        A normal log likelihood ratio z^2 / 2 becomes (f / 2) log(1 + z^2 / (f v)) for a variance v times the nominal
        one, known to f degrees of freedom (the variance integrated out under its conjugate prior). It is at most
        z^2 / 2. Evidence against the hypothesis, below 0, is left as it is.
        """
        gain = np.maximum(log_e, 0.0)
        discounted = self.freedom / 2 * np.log1p(2 * gain / (self.freedom * self.inflations))
        return np.where(log_e > 0, discounted, log_e)


def spreads(noise: Noise) -> Spreads:
    """How looks spread around the mean of their window, and around another mean before it.

    Dispersion by batch means (Alexopoulos and Goldsman 2004), times (1 + r) / (1 - r) for a correlation r between
    neighbouring looks, which divides the degrees of freedom.
    """
    residuals, freedom = _residuals(noise)
    freedom = PRIOR_LOOKS + freedom
    seen = np.isfinite(noise.variances).sum(axis=-1, keepdims=True)
    dispersion = (PRIOR_LOOKS + (residuals**2).sum(axis=-1)) / freedom
    correlation = _correlations(residuals, seen)
    stretch = (1 + correlation) / (1 - correlation)
    inflations = np.maximum(np.expand_dims(noise.serial, -1), dispersion * stretch).clip(min=1.0)
    return Spreads(inflations, np.maximum(freedom / stretch, 1.0))


def _residuals(noise: Noise) -> tuple[Floats, Floats]:
    """Standardized residuals of each window, [..., windows, looks], and their degrees of freedom, [..., windows]."""
    weights = 1 / noise.variances
    looks = weights.shape[-1]
    inside = np.triu(np.ones((looks, looks)))
    fitted, freedom = np.zeros((*weights.shape, looks)), (weights > 0).sum(axis=-1, keepdims=True).astype(float)
    for segment in (inside, 1 - inside):
        total = weights @ segment.T
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nan_to_num((weights * noise.differences) @ segment.T / total)
        fitted += mean[..., None] * segment
        freedom = freedom - (total > 0)
    residuals: Floats = (noise.differences[..., None, :] - fitted) * np.sqrt(weights)[..., None, :]
    return residuals, np.maximum(freedom, 0.0)


def _correlations(residuals: Floats, count: NDArray[np.intp]) -> Floats:
    """Lag-one correlation of each window's residuals, less one standard error, never negative, [..., windows].

    Corrected for the bias (1 + 3 r) / n of short series (Kendall 1954).
    """
    squares = np.maximum((residuals**2).sum(axis=-1), np.finfo(float).tiny)
    raw = (residuals[..., 1:] * residuals[..., :-1]).sum(axis=-1) / squares
    unbiased = (count * raw + 1) / np.maximum(count - 3, 1)
    correlations: Floats = (unbiased - 1 / np.sqrt(np.maximum(count, 1))).clip(0.0, MAX_CORRELATION)
    return correlations


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


def whole(log_bets: Floats, noise: Noise) -> Floats:
    """Discounted log e-value of all looks, [...], from bets [..., looks, alternatives]; alternatives are averaged."""
    if not log_bets.shape[-2]:
        return np.zeros(log_bets.shape[:-2])
    return _windows(log_bets, noise)[..., 0]


def strongest(log_bets: Floats, noise: Noise) -> Floats:
    """Discounted log e-value of the most telling window, [...], from bets [..., looks, alternatives].

    Windows from each look on share the significance (a mixture over change points, as in Shin, Ramdas and Rinaldo
    2024), so that a fault that begins late is not outweighed by a healthy past.
    """
    looks = log_bets.shape[-2]
    if not looks:
        return np.zeros(log_bets.shape[:-2])
    strongest: Floats = (_log_shares(looks) + _windows(log_bets, noise)).max(axis=-1)
    return strongest


def _windows(log_bets: Floats, noise: Noise) -> Floats:
    """Discounted log e-value of each window that ends now, [..., looks]."""
    gains = np.cumsum(log_bets[..., ::-1, :], axis=-2)[..., ::-1, :]
    average = np.logaddexp.reduce(gains, axis=-1) - np.log(gains.shape[-1])
    return noise.spreads.discount(average)


def _log_shares(looks: int) -> Floats:
    """Windows' shares: WHOLE for the first, the rest in proportion to 1 / (start (start + 1)), which sums to one."""
    start = np.arange(1, looks)
    shares: Floats = np.log(np.concatenate([[WHOLE], (1 - WHOLE) / (start * (start + 1))]))
    return shares
