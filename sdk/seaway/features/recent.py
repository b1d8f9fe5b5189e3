"""Recent rows as examples that a model is watched by: all of them, whether their label is known yet or not."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features import plain
from seaway.features.examples import entity_rows, joined
from seaway.features.plain import PlainSpec
from seaway.features.project import EVENT_TIME
from seaway.features.repository import FeatureRepository
from seaway.storage import atomic_path

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RecentExamples:
    """How many rows were written, and how many of them have a label."""

    rows: int
    labelled: int

    @property
    def summary(self) -> str:
        """One line."""
        return f"{self.rows:,} recent rows, {self.labelled:,} with a label"


def recent_rows(table: Path, spec: PlainSpec, output: Path, since: str = "") -> RecentExamples:
    """Write the rows of the Parquet file `table`, as `plain_examples` does but without a split.

    Args:
        table: Of `ingest`.
        spec: Which columns are what; the label may be missing.
        output: The Parquet file that is written.
        since: Rows from this time on, as ISO 8601 has it; empty takes all.

    Raises:
        DataUnreadable: the table, a column or a row's time is missing, or there are no rows.
        InvalidSpec: `since` is no time, or the rows have none.
    """
    rows: pd.DataFrame = plain.read(table, spec.columns).to_pandas()
    known = _since(plain.timed(rows, spec) if spec.time else rows, since)
    return _write(plain.typed(known, spec), spec.label, output)


def recent_examples(repository: Path, tables: Path, output: Path, since: str = "") -> RecentExamples:
    """Write recent rows with their features as they stood at each row's time; earlier rows count as their history.

    Raises:
        DataUnreadable, FeaturesUnavailable: as `training_examples`, but for a missing label.
        InvalidSpec: `since` is no time.
    """
    opened = FeatureRepository.open(repository)
    project = opened.project
    rows = entity_rows(project, tables, project.recent_rows or project.entity_rows, labelled=False)
    return _write(joined(opened, _since(rows, since)), project.label, output)


def _since(rows: "pd.DataFrame", since: str) -> "pd.DataFrame":
    import pandas as pd

    if not since:
        return rows
    if EVENT_TIME not in rows:
        raise InvalidSpec(f"since {since}: these rows have no time; leave it out, or name their column of time.")
    try:
        first = pd.to_datetime(since, utc=True, format="ISO8601")
    except (ValueError, TypeError) as error:
        raise InvalidSpec(f"since {since!r} is no time; write it as 2024-03-30 or 2024-03-30T12:00:00Z.") from error
    return rows[rows[EVENT_TIME] >= first].reset_index(drop=True)


def _write(rows: "pd.DataFrame", label: str, output: Path) -> RecentExamples:
    if rows.empty:
        raise DataUnreadable("There are no recent rows to watch the model by; give a source, or a time, that has some.")
    with atomic_path(output) as draft:
        rows.to_parquet(draft, index=False, compression="zstd")
    return RecentExamples(len(rows), int(rows[label].notna().sum()))
