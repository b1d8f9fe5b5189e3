"""The reports of a model and of a run."""

from seaway_components.reporting.write_model_report.component import write_model_report
from seaway_components.reporting.write_report.component import write_report

__all__ = ["write_model_report", "write_report"]
