"""The page of a study."""

from typing import TYPE_CHECKING

from seaway.reporting.page import Page
from seaway.reporting.tuning_section import study_blocks, study_tiles
from seaway.version import VERSION

if TYPE_CHECKING:
    from seaway.tuning.result import TuneResult


def tuning_page(result: "TuneResult") -> Page:
    """History, parallel coordinates, importances and, for several objectives, the Pareto front."""
    study = result.as_json()
    tiles = study_tiles(study) if result.trials else ()
    page = Page("Tuning", result.summary, tiles=tiles, footer=f"Seaway {VERSION}.")
    return page.section("Study", *study_blocks(study))
