"""Whether two samples differ by more than chance, where the rows of one day are not independent.

All rows of an hour may share one weather, and tomorrow's is like today's: 20,000 rows can hold the evidence of twenty.
A test that takes them for independent finds "drift" between any two weeks. So each sample is counted by its effective
size (Kish 1965, Survey Sampling, section 8.2): rows divided by the design effect, the variance of a mean over days in a
row against that of independent rows. The former is that of Newey and West (1987) on the days' sums, which is what
Driscoll and Kraay (1998) use for panels, with as many lags as Newey and West (1994) give for so many days.
Numbers are compared by Kolmogorov-Smirnov, categories by chi-squared as Rao and Scott (1981, first order) correct it;
p-values of many columns are corrected by Holm (1979).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def design_effect(values: Array, days: Array) -> float:
    """How many rows count as one, at least 1; `values` and whole-numbered `days` of shape [rows]."""
    centred = values - values.mean()
    independent = float(centred @ centred)
    if not independent:
        return 1.0
    sums = np.bincount(days - days.min(), centred)
    lags = int(4 * (len(sums) / 100) ** (2 / 9))
    variance = float(sums @ sums)
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(sums[lag:] @ sums[:-lag])
    return max(1.0, variance / independent)


def of_numbers(reference: Array, current: Array, reference_days: Array, current_days: Array) -> float:
    """The p-value that two samples of numbers without NaN are of one distribution."""
    from scipy.stats import ks_2samp, kstwobign, rankdata

    if not len(reference) or not len(current):
        return 1.0
    ranks = rankdata(np.concatenate([reference, current]))  # the test sees nothing else
    first = len(reference) / design_effect(ranks[: len(reference)], reference_days)
    second = len(current) / design_effect(ranks[len(reference) :], current_days)
    distance = ks_2samp(reference, current, method="asymp").statistic
    return float(kstwobign.sf(distance * np.sqrt(first * second / (first + second))))


def of_categories(reference: Array, current: Array, reference_days: Array, current_days: Array) -> float:
    """The p-value that two samples of categories are of one distribution."""
    from scipy.stats import chi2

    levels, codes = np.unique(np.concatenate([reference, current]), return_inverse=True)
    if len(levels) == 1:
        return 1.0
    sides = ((codes[: len(reference)], reference_days), (codes[len(reference) :], current_days))
    (one, first), (other, second) = (_shares(side, days, len(levels)) for side, days in sides)
    pooled = (one * first + other * second) / (first + second)
    statistic = float(((one - other) ** 2 / pooled).sum()) * first * second / (first + second)
    return float(chi2.sf(statistic, len(levels) - 1))


def _shares(codes: Array, days: Array, levels: int) -> tuple[Array, float]:
    """Share of each level, and the effective rows by the mean design effect, weighted as Rao and Scott do."""
    shares = np.bincount(codes, minlength=levels) / len(codes)
    effects = np.array([design_effect((codes == level).astype(float), days) for level in range(levels)])
    weights = (1 - shares) * (shares > 0)
    return shares, len(codes) / float((weights * effects).sum() / weights.sum() if weights.any() else 1.0)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values such that rejecting those below a level errs at all with at most that chance (Holm 1979)."""
    ordered = sorted(p_values, key=lambda name: p_values[name])
    corrected, highest = {}, 0.0
    for place, name in enumerate(ordered):
        highest = max(highest, min(1.0, p_values[name] * (len(ordered) - place)))
        corrected[name] = highest
    return corrected
