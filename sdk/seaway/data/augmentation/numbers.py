"""Numbers with noise, and rows between two rows of one class."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def noisy(values: Floats, rows: npt.NDArray[np.int64], share: float, generator: np.random.Generator) -> Floats:
    """The values of `rows` with normal noise, whose deviation is a share of the column's; gaps stay.

    Args:
        values: Of all rows, [rows, columns], NaN missing.
        rows: Places of those that are wanted.
        share: Of the column's standard deviation.
        generator: Of what is drawn.
    """
    deviation = np.ma.masked_invalid(values).std(axis=0).filled(0)
    noise = generator.normal(size=(len(rows), values.shape[1]))
    found: Floats = values[rows] + share * deviation * noise
    return found


def mixed(
    values: Floats,
    rows: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    alpha: float,
    generator: np.random.Generator,
) -> Floats:
    """Each of `rows` moved towards another one of its class, by a part drawn of Beta(alpha, alpha).

    Mixup (Zhang et al. 2018) within a class, so that labels stay what they are; a gap of either row stays the row's own
    value.
    """
    part = np.maximum(beta := generator.beta(alpha, alpha, size=(len(rows), 1)), 1 - beta)
    partners = np.empty_like(rows)
    for label in np.unique(labels[rows]):
        own = labels[rows] == label
        partners[own] = generator.choice(np.flatnonzero(labels == label), size=int(own.sum()))
    between = part * values[rows] + (1 - part) * values[partners]
    return np.where(np.isnan(between), values[rows], between)
