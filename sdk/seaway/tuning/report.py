"""The page of a study."""

from typing import TYPE_CHECKING

from seaway.reporting.page import Page

if TYPE_CHECKING:
    from seaway.tuning.result import TuneResult


def tuning_page(result: "TuneResult") -> Page:
    """History, parallel coordinates, importances and, for several objectives, the Pareto front."""
    return Page("Tuning", result.summary)
