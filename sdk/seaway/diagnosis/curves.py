"""The two curves of a diagnosis."""

import math

from seaway.diagnosis.learning import Figures
from seaway.reporting import charts
from seaway.reporting.inline_svg import Chart


def range_test(figures: Figures) -> Chart:
    """Smoothed loss over the logarithm of the rate."""
    rates, losses = zip(*figures.rates, strict=True)
    return charts.lines(
        [charts.Series("loss", [math.log10(rate) for rate in rates], losses)],
        "rate, as a power of ten",
        "smoothed loss",
        f"Loss over rates from {rates[0]:.0e} to {rates[-1]:.0e}.",
        mark=math.log10(figures.suggested) if math.isfinite(figures.suggested) else None,
        mark_label="suggested",
    )


def by_heart(figures: Figures) -> Chart:
    """Loss over the steps on one batch."""
    return charts.lines(
        [charts.Series("loss", range(1, len(figures.heart) + 1), figures.heart)],
        "step",
        "loss",
        f"Loss on one batch from {figures.heart[0]:.3g} to {min(figures.heart):.3g}.",
    )
