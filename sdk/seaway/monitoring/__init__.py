"""What an endpoint's traffic looks like: the Metrics port."""

from seaway.monitoring.metrics import ArmCounts, Metrics

__all__ = ["ArmCounts", "Metrics"]
