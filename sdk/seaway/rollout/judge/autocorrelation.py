"""Evidence that survives observations which depend on each other, and faults that begin in the middle.

Looks of equal arms differ more than independent requests explain: bursts, caches, neighbours. How much more is
estimated from the looks themselves and from earlier rollouts', and evidence is discounted for it as Student's t
discounts a normal deviate. The discounted e-value never passes a threshold above one that the e-value itself did not
pass, so the guarantee for independent observations stays exact, whatever the estimate; for dependent ones it is
approximate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LATE = 0.05  # share of the significance for windows that start at any look
RESTART = 0.1  # share of each window that starts where the weights change
MIN_SERIES, MAX_CORRELATION = 20, 0.95
BATCHES = (1, 2, 4, 8, 15)  # looks in a row whose mean shows slow noise; 15 are in two of a short rollout
UNUSUAL = 2.0  # standard errors above what independence has
SURPLUS = 3.0  # standard errors that are added to an unusual dispersion: false rollbacks of 2 % otherwise


@dataclass(frozen=True)
class Prior:
    """What is known of an endpoint's noise before its looks: a variance ratio, and the looks that it rests on."""

    looks: float = 4.0
    inflation: float = 1.0


UNKNOWN = Prior()


@dataclass(frozen=True)
class Noise:
    """A difference of each look, and the variance it would have under independence: arrays of shape [..., looks].

    `serial`, [...], is the inflation that the order of single observations shows, at least 1. Leading axes are rollouts
    judged at once.
    """

    differences: Floats
    variances: Floats
    serial: float | Floats = 1.0
    prior: Prior = UNKNOWN

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

    @property
    def first(self) -> "Spreads":
        """Of the window of all looks."""
        return Spreads(self.inflations[..., :1], self.freedom[..., :1])

    def discount(self, log_e: Floats) -> Floats:
        """Student's log likelihood ratio in place of the normal one: log e-values of the windows, [..., looks].

        A normal log likelihood ratio z^2 / 2 becomes (f / 2) log(1 + z^2 / (f v)) for a variance v times the nominal
        one, known to f degrees of freedom (the variance integrated out under its conjugate prior). It is at most
        z^2 / 2. Evidence against the hypothesis, below 0, is left as it is.
        """
        gain = np.maximum(log_e, 0.0)
        discounted = self.freedom / 2 * np.log1p(2 * gain / (self.freedom * self.inflations))
        return np.where(log_e > 0, discounted, log_e)


def spreads(noise: Noise, windows: int | None = None) -> Spreads:
    """How looks spread around the mean of their window, and around another mean before it; of the first windows only
    where a number is given.

    Dispersion by batch means (Alexopoulos and Goldsman 2004), times (1 + r) / (1 - r) for a correlation r between
    neighbouring looks, which divides the degrees of freedom; pooled with what was known before.
    """
    residuals, freedom = _residuals(noise, windows)
    seen = np.isfinite(noise.variances).sum(axis=-1, keepdims=True)
    correlation = _correlations(residuals, freedom, seen)
    stretch = (1 + correlation) / (1 - correlation)
    looks = noise.prior.looks + freedom / stretch
    dispersion = (noise.prior.looks * noise.prior.inflation + (residuals**2).sum(axis=-1)) / looks
    inflations = np.maximum(np.expand_dims(noise.serial, -1), dispersion).clip(min=1.0)
    return Spreads(inflations, np.maximum(looks, 1.0))


def _residuals(noise: Noise, windows: int | None) -> tuple[Floats, Floats]:
    """Standardized residuals of each window, [..., windows, looks], and their degrees of freedom, [..., windows]."""
    weights = 1 / noise.variances
    looks = weights.shape[-1]
    inside = np.triu(np.ones((looks, looks)))[:windows]
    fitted, freedom = (
        np.zeros((*weights.shape[:-1], *inside.shape)),
        (weights > 0).sum(axis=-1, keepdims=True).astype(float),
    )
    for segment in (inside, 1 - inside):
        total = weights @ segment.T
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nan_to_num((weights * noise.differences) @ segment.T / total)
        fitted += mean[..., None] * segment
        freedom = freedom - (total > 0)
    residuals: Floats = (noise.differences[..., None, :] - fitted) * np.sqrt(weights)[..., None, :]
    return residuals, np.maximum(freedom, 0.0)


def _correlations(residuals: Floats, freedom: Floats, count: NDArray[np.intp]) -> Floats:
    """Lag-one correlation of each window's residuals, less one standard error, never negative, [..., windows].

    Corrected for the bias (1 + 3 r) / n of short series (Kendall 1954). Residuals that spread less than independence
    has them (a constant difference, whose rest is rounding) are no sign of dependence, however alike they are.
    """
    squares = np.maximum((residuals**2).sum(axis=-1), np.maximum(freedom, 1.0))
    raw = (residuals[..., 1:] * residuals[..., :-1]).sum(axis=-1) / squares
    unbiased = (count * raw + 1) / np.maximum(count - 3, 1)
    correlations: Floats = (unbiased - 1 / np.sqrt(np.maximum(count, 1))).clip(0.0, MAX_CORRELATION)
    return correlations


def prior_of(rollouts: Sequence[Noise]) -> Prior:
    """The noise of rollouts whose arms' true difference did not change while they lasted."""
    return prior_of_residuals([standardized(noise) for noise in rollouts])


def prior_of_residuals(series: Sequence[Floats]) -> Prior:
    """The noise that `standardized` differences show, one array a rollout.

    The largest dispersion of the means of 1 to 15 looks in a row that is unusual under independence: slow noise of one
    arm shows in long batches only. SURPLUS standard errors more are assumed of it, since few batches tell it. Each
    rollout's own mean is taken off.
    """
    looks = sum(residuals.size for residuals in series)
    found = Prior() if not looks else Prior(max(float(looks), Prior.looks), 1.0)
    for size in BATCHES:
        sums = [_batches(residuals, size) for residuals in series if residuals.size >= 2 * size]
        freedom = sum(batch.size - 1 for batch in sums)
        dispersion = sum(float(batch @ batch) for batch in sums) / max(freedom, 1)
        if dispersion > max(found.inflation, 1 + UNUSUAL * math.sqrt(2 / max(freedom, 1))):
            found = Prior(float(freedom), dispersion)
    if found.inflation > 1:
        return Prior(found.looks, found.inflation * (1 + SURPLUS * math.sqrt(2 / found.looks)))
    return found


def standardized(noise: Noise) -> Floats:
    """One rollout's differences, their mean taken off, over the standard deviations of independent observations."""
    seen = np.isfinite(noise.variances)
    weights = 1 / noise.variances[seen]
    differences = noise.differences[seen]
    if not weights.size:
        return np.zeros(0)
    residuals: Floats = (differences - np.average(differences, weights=weights)) * np.sqrt(weights)
    return residuals


def _batches(residuals: Floats, size: int) -> Floats:
    """Sums of so many neighbours, over the square root of their number."""
    whole = residuals[: residuals.size // size * size].reshape(-1, size).sum(axis=1) / math.sqrt(size)
    centred: Floats = whole - whole.mean()
    return centred


def serial_inflation(series: Sequence[Floats]) -> float:
    """Variance inflation of a first-order autoregression with the series' pooled lag-one rank correlation, at least 1.

    Series of fewer than MIN_SERIES values say nothing. Ranks make it robust against heavy tails; each series' own mean
    is taken off, with the correction of short ones (Kendall 1954), and one standard error of the whole.
    """
    from scipy.stats import rankdata  # most of a second

    long = [rankdata(values) for values in series if values.size >= MIN_SERIES]
    centred = [(ranks - ranks.mean()) / ranks.size for ranks in long]
    power = sum(float(ranks @ ranks) for ranks in centred)
    if power == 0:
        return 1.0
    raw = sum(float(ranks[1:] @ ranks[:-1]) for ranks in centred) / power
    count = sum(ranks.size for ranks in centred)
    length = count / len(centred)
    unbiased = (length * raw + 1) / (length - 3)
    correlation = min(max(float(unbiased) - 1 / math.sqrt(count), 0.0), MAX_CORRELATION)
    return (1 + correlation) / (1 - correlation)


def whole(log_bets: Floats, noise: Noise, prior: Floats | None = None) -> Floats:
    """Discounted log e-value of all looks, [...], from bets [..., looks, alternatives]; alternatives are averaged."""
    if not log_bets.shape[-2]:
        return np.zeros(log_bets.shape[:-2])
    gain = _averaged(log_bets.sum(axis=-2)[..., None, :], prior)
    known = noise.spreads if "spreads" in vars(noise) else spreads(noise, windows=1)
    discounted: Floats = known.first.discount(gain)[..., 0]
    return discounted


def strongest(
    log_bets: Floats,
    noise: Noise,
    prior: Floats | None = None,
    changes: Sequence[int] = (),
    restarts: int = 0,
) -> Floats:
    """Discounted log e-value of all windows together, [...], from bets [..., looks, alternatives].

    Windows from each look on share the significance (a mixture over change points, as in Shin, Ramdas and Rinaldo
    2024), so that a fault that begins late is not outweighed by a healthy past. Those that start at one of the first
    `restarts` changes of weights have RESTART each.
    """
    looks = log_bets.shape[-2]
    if not looks:
        return np.zeros(log_bets.shape[:-2])
    shares = _log_shares(looks, changes, restarts)
    together: Floats = np.logaddexp.reduce(shares + _windows(log_bets, noise, prior), axis=-1)
    return together


def _windows(log_bets: Floats, noise: Noise, prior: Floats | None) -> Floats:
    """Discounted log e-value of each window that ends now, [..., looks]."""
    gains = np.cumsum(log_bets[..., ::-1, :], axis=-2)[..., ::-1, :]
    return noise.spreads.discount(_averaged(gains, prior))


def _averaged(gains: Floats, prior: Floats | None) -> Floats:
    """Log of the mean e-value over alternatives, the last axis."""
    weights = np.full(gains.shape[-1], 1 / gains.shape[-1]) if prior is None or not prior.size else prior
    average: Floats = np.logaddexp.reduce(gains + np.log(weights), axis=-1)
    return average


def _log_shares(looks: int, changes: Sequence[int] = (), restarts: int = 0) -> Floats:
    """Windows' shares: RESTART for each reserved change, LATE for all starts in proportion to 1 / (start (start + 1)).

    The first window has the rest. Together they are at most one however many looks and changes there will be.
    """
    start = np.arange(1, looks)
    shares = np.concatenate([[1 - LATE - RESTART * restarts], LATE / (start * (start + 1))])
    for change in list(changes)[:restarts]:
        shares[change] += RESTART
    log_shares: Floats = np.log(shares)
    return log_shares
