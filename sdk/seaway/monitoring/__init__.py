"""What an endpoint's traffic and its model's inputs, answers and labels look like; the Metrics port."""

from seaway.monitoring.checking import Check, check, in_production, read_check
from seaway.monitoring.deciding import Retraining, RetrainingPolicy, decide
from seaway.monitoring.drift import DriftReport, DriftSpec, drift
from seaway.monitoring.metrics import ArmCounts, Metrics
from seaway.monitoring.quality import QualityReport, QualitySpec, quality
from seaway.monitoring.references import keep as keep_reference
from seaway.monitoring.rules import Objectives, rule_file
from seaway.monitoring.skew import SkewReport, check_skew, skew
from seaway.monitoring.surroundings import Mesh, Surroundings

__all__ = [
    "ArmCounts",
    "Check",
    "DriftReport",
    "DriftSpec",
    "Mesh",
    "Metrics",
    "Objectives",
    "QualityReport",
    "QualitySpec",
    "Retraining",
    "RetrainingPolicy",
    "SkewReport",
    "Surroundings",
    "check",
    "check_skew",
    "decide",
    "drift",
    "in_production",
    "keep_reference",
    "quality",
    "read_check",
    "rule_file",
    "skew",
]
