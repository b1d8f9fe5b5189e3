"""The page of a pipeline's data: raw tables and training rows; kept for the page of the model that learns from them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seaway.reporting import data_section
from seaway.reporting.data_section import Subject
from seaway.reporting.page import Page, Text, Tile
from seaway.storage import read_json, write_json
from seaway.version import VERSION

KEPT_FILE = "data_report.json"


@dataclass(frozen=True)
class DataInputs:
    """The artifacts of a pipeline's data; `train` a Parquet file, the others folders as the steps wrote them.

    Attributes:
        train: training rows.
        label: their column with the truth.
        positive: the label's value that counts, where it is one of two names; empty takes the last in order.
        units: the columns that a model reads, each with its unit; empty takes all but label and times.
        tables: raw tables; None leaves them out.
        validation: one line about their checks.
        repository: feature repository, for its views.
        subject: what the examples are about.
    """

    train: Path
    label: str
    positive: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    tables: Path | None = None
    validation: str = ""
    repository: Path | None = None
    subject: Subject = field(default_factory=Subject)


def describe_data(inputs: DataInputs, output: Path, kept: Path) -> dict[str, Any]:
    """Write the page to `output`, and into the folder `kept` what the model's page takes over; gives that.

    Raises:
        DataUnreadable: an artifact or a column is missing or broken; the message names it.
    """
    page = Page("The data before the training", tiles=_rows(inputs), footer=f"Seaway {VERSION}.")
    if inputs.tables is not None:
        page.section("Data", Text(inputs.validation), *data_section.data_blocks(inputs.tables, inputs.subject))
    features = {"inputs": data_section.inputs_of(inputs.train, inputs.units, inputs.label)}
    blocks = data_section.feature_blocks(_views(inputs), inputs.train, features, inputs.label, inputs.positive)
    page.section("Features", *blocks).write(output)
    told = f"{len(features['inputs'])} inputs"
    content = {"summary": told, "tiles": [asdict(tile) for tile in page.tiles], "sections": page.kept()}
    write_json(kept / KEPT_FILE, content)
    return content


def read_kept(folder: Path) -> dict[str, Any]:
    """What `describe_data` kept. Raises: DataUnreadable."""
    value: dict[str, Any] = read_json(folder / KEPT_FILE)
    return value


def _rows(inputs: DataInputs) -> Sequence[Tile]:
    if inputs.tables is None:
        return ()
    rows, table = data_section.table_rows(inputs.tables), inputs.subject.table
    return [Tile("Rows", rows.get(table, sum(rows.values())), table)]


def _views(inputs: DataInputs) -> Mapping[str, int]:
    if inputs.repository is None:
        return {}
    views: Mapping[str, int] = read_json(inputs.repository / "repository.json")["rows"]
    return views
