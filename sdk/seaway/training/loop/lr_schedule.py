"""The learning rate by step: one cycle, so that a resumed run needs no schedule state."""

import math

WARM_UP = 0.2  # share of the steps; then a half cosine to zero (Smith and Topin 2018; Loshchilov and Hutter 2017)


def one_cycle(step: int, steps: int) -> float:
    """Share of the peak learning rate at `step` of `steps`, counted from 0."""
    warm = max(1.0, WARM_UP * steps)
    if step < warm:
        return (step + 1) / (warm + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1.0, steps - warm)))
