"""Charts, the self-contained HTML page and links, shared by every capability that has something to show."""

from pathlib import Path
from typing import TYPE_CHECKING

from seaway.reporting.markdown import write_links
from seaway.reporting.page import Badge, Code, Figure, Figures, Fold, Page, Table, Text, Tile, Tiles

if TYPE_CHECKING:
    from seaway.reporting.run_report import ReportInputs

__all__ = [
    "Badge", "Code", "Figure", "Figures", "Fold", "Page", "Table", "Text", "Tile", "Tiles",
    "write_links", "write_report",
]  # fmt: skip


def write_report(inputs: "ReportInputs", output: Path) -> str:
    """Write the page of a whole run; see `seaway.reporting.run_report.write_report`."""
    from seaway.reporting import run_report

    return run_report.write_report(inputs, output)
