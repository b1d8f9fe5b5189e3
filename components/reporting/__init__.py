"""The report of a run."""

from seaway_components.reporting.write_report.component import write_report

__all__ = ["write_report"]
