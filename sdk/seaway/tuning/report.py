"""What a study leaves in its folder: its figures, and a page that shows them."""

from pathlib import Path

from seaway.reporting.page import Page
from seaway.reporting.tuning_section import study_blocks, study_tiles
from seaway.tuning.result import TuneResult
from seaway.version import VERSION

REPORT_FILE = "tuning.html"


def write_study(result: TuneResult, folder: Path) -> None:
    """Write `study.json`, `trials.parquet` and `tuning.html` into a folder, made when missing."""
    result.write(folder)
    tuning_page(result).write(folder / REPORT_FILE)


def tuning_page(result: TuneResult) -> Page:
    """History, parallel coordinates, importances and, for several objectives, the Pareto front."""
    study = result.as_json()
    tiles = study_tiles(study) if result.trials else ()
    page = Page("Tuning", result.summary, tiles=tiles, footer=f"Seaway {VERSION}.")
    return page.section("Study", *study_blocks(study))
