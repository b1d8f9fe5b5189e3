"""Charts, the self-contained HTML page and links, shared by every capability that has something to show."""

from pathlib import Path
from typing import TYPE_CHECKING

from seaway.reporting.markdown import write_links
from seaway.reporting.page import Badge, Code, Figure, Figures, Fold, Page, Table, Text, Tile, Tiles

if TYPE_CHECKING:
    from seaway.reporting.model_report import ModelInputs
    from seaway.reporting.run_report import ReportInputs

__all__ = [
    "Badge", "Code", "Figure", "Figures", "Fold", "Page", "Table", "Text", "Tile", "Tiles",
    "write_links", "write_model_report", "write_report",
]  # fmt: skip


def write_model_report(inputs: "ModelInputs", output: Path, kept: Path) -> str:
    """Write the page of a model before its release; see `seaway.reporting.model_report.write_model_report`."""
    from seaway.reporting import model_report

    return model_report.write_model_report(inputs, output, kept)


def write_report(inputs: "ReportInputs", output: Path) -> str:
    """Write the page of a whole run; see `seaway.reporting.run_report.write_report`."""
    from seaway.reporting import run_report

    return run_report.write_report(inputs, output)
