"""What an endpoint's traffic and its model's inputs, answers and labels look like; the Metrics port."""

from seaway.monitoring.alert_rules import Objectives, rule_file
from seaway.monitoring.drift import DriftReport, DriftSpec
from seaway.monitoring.drift_check import drift
from seaway.monitoring.live_quality import QualityReport, QualitySpec, quality
from seaway.monitoring.model_check import Check, check, in_production, read_check
from seaway.monitoring.retraining import Retraining, RetrainingPolicy, decide
from seaway.monitoring.service_graph import Callers, ServiceGraph
from seaway.monitoring.skew import SkewReport, check_skew, skew
from seaway.monitoring.traffic_metrics import ArmCounts, TrafficMetrics
from seaway.monitoring.training_rows import keep as keep_reference

__all__ = [
    "ArmCounts",
    "Callers",
    "Check",
    "DriftReport",
    "DriftSpec",
    "Objectives",
    "QualityReport",
    "QualitySpec",
    "Retraining",
    "RetrainingPolicy",
    "ServiceGraph",
    "SkewReport",
    "TrafficMetrics",
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
