"""The model in production watched."""

from seaway_components.monitoring.check_skew.component import check_skew
from seaway_components.monitoring.decide_retraining.component import decide_retraining
from seaway_components.monitoring.monitor_drift.component import monitor_drift

__all__ = ["check_skew", "decide_retraining", "monitor_drift"]
