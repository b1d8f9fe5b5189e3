"""The reports of data, of a model and of a run, and notices of how one ended."""

from seaway_components.reporting.describe_data.component import describe_data
from seaway_components.reporting.notify.component import notify
from seaway_components.reporting.write_model_report.component import write_model_report
from seaway_components.reporting.write_report.component import write_report

__all__ = ["describe_data", "notify", "write_model_report", "write_report"]
