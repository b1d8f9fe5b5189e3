"""Models measured against baselines, and the gate."""

from seaway_components.evaluation.check_gate.component import check_gate
from seaway_components.evaluation.evaluate_model.component import evaluate_model

__all__ = ["check_gate", "evaluate_model"]
