"""Tuning components."""

from seaway_components.tuning.tune_model.component import tune_model

__all__ = ["tune_model"]
