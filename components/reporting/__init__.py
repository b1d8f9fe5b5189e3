"""The reports of data, of a model and of a run."""

from seaway_components.reporting.describe_data.component import describe_data
from seaway_components.reporting.write_model_report.component import write_model_report
from seaway_components.reporting.write_report.component import write_report

__all__ = ["describe_data", "write_model_report", "write_report"]
