"""Charts, the self-contained HTML page and links, shared by every capability that has something to show."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.reporting.evidence import keep, kept
from seaway.reporting.markdown import write_links
from seaway.reporting.page import Badge, Code, Figure, Figures, Fold, Page, Table, Text, Tile, Tiles
from seaway.reporting.run_steps import RunRecords

if TYPE_CHECKING:
    from seaway.reporting.data_report import DataInputs
    from seaway.reporting.model_report import ModelInputs
    from seaway.reporting.run_report import Run

__all__ = [
    "Badge", "Code", "Figure", "Figures", "Fold", "Page", "RunRecords", "Table", "Text", "Tile", "Tiles",
    "describe_data", "keep", "kept", "write_links", "write_model_report", "write_report",
]  # fmt: skip


def describe_data(inputs: "DataInputs", output: Path, kept: Path) -> dict[str, Any]:
    """Write the page of a pipeline's data; see `seaway.reporting.data_report.describe_data`."""
    from seaway.reporting import data_report

    return data_report.describe_data(inputs, output, kept)


def write_model_report(inputs: "ModelInputs", output: Path) -> dict[str, Any]:
    """Write the page of a model before its release; see `seaway.reporting.model_report.write_model_report`."""
    from seaway.reporting import model_report

    return model_report.write_model_report(inputs, output)


def write_report(run: "Run", output: Path) -> str:
    """Write the page of a whole run; see `seaway.reporting.run_report.write_report`."""
    from seaway.reporting import run_report

    return run_report.write_report(run, output)
