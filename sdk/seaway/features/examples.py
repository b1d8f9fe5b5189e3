"""Training examples: rows to learn from, joined with the features as they stood at each row's time."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import MAXYEAR, MINYEAR
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway import tasks
from seaway.errors import DataUnreadable, FeaturesUnavailable, InvalidSpec, SeawayError
from seaway.features import stores
from seaway.features.feast_import import import_feast
from seaway.features.project import EVENT_TIME, LABEL_TIME, RESERVED, FeatureProject
from seaway.features.repository import FeatureRepository, open_store, told
from seaway.features.splits import SplitSpec, split
from seaway.storage import atomic_path, sha256
from seaway.tasks.estimate import Array

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Examples:
    """One split's file: rows, what the labels are like in words and figures, Arrow types by column, content hash."""

    rows: int
    told: str
    labels: Mapping[str, object]
    schema: Mapping[str, str]
    sha256: str


@dataclass(frozen=True)
class ExampleCounts:
    """What was written for each split, and the rows purged between splits."""

    splits: Mapping[str, Examples]
    purged: int

    @property
    def rows(self) -> dict[str, int]:
        """Rows by split."""
        return {name: examples.rows for name, examples in self.splits.items()}

    @property
    def summary(self) -> str:
        """One line: rows, splits, and the labels to learn from."""
        rows, first = sum(self.rows.values()), next(iter(self.splits))
        return f"{rows:,} rows in {len(self.splits)} splits, {self.splits[first].told} in {first}"

    def metadata(self, name: str) -> dict[str, object]:
        """The metadata of the artifact of the split `name`."""
        return asdict(self.splits[name])


def training_examples(repository: Path, tables: Path, splits: SplitSpec, output: Mapping[str, Path]) -> ExampleCounts:
    """Write one Parquet file a split, in time order: identity, times, inputs, label.

    Args:
        output: A file for each of `train`, `validation`, `test`, `replay`.

    Raises:
        DataUnreadable: repository or tables are missing, a column or a label is, or a split would be empty.
        FeaturesUnavailable: Feast cannot give a feature that the project lists.
    """
    if set(output) != set(splits.fractions):
        raise InvalidSpec(f"Examples go to {', '.join(splits.fractions)}; there are files for {', '.join(output)}.")
    opened = FeatureRepository.open(repository)
    project = opened.project
    rows = entity_rows(project, tables, project.entity_rows)
    examples = joined(opened, rows)
    parts = dict(split(examples, splits))
    if empty := [name for name, part in parts.items() if part.empty]:
        raise DataUnreadable(f"No examples for {', '.join(empty)} among {len(examples)} rows; ingest more rows.")
    task = tasks.named(project.task, project.label, parts["train"][project.label].to_numpy(), "The training rows")
    written = write_splits(parts, output, task)
    return ExampleCounts(written, purged=len(examples) - sum(part.rows for part in written.values()))


def write_splits(
    parts: "Mapping[str, pd.DataFrame]", output: Mapping[str, Path], task: tasks.Task
) -> dict[str, Examples]:
    """Write each split's rows, and tell what they are like; all or none.

    Raises:
        DataUnreadable: a label is none of the task.
    """
    label = task.target.label
    labels = {name: task.labels(part[label].to_numpy(), f"The {name} rows") for name, part in parts.items()}
    return {name: _write(part, output[name], task, labels[name]) for name, part in parts.items()}


def _write(part: "pd.DataFrame", target: Path, task: tasks.Task, labels: Array) -> Examples:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(part, preserve_index=False)
    with atomic_path(target) as draft:
        parquet.write_table(table, draft, compression="zstd")
    schema = {field.name: str(field.type) for field in table.schema}
    return Examples(len(part), task.told(labels), task.facts(labels), schema, sha256(target))


def entity_rows(
    project: FeatureProject, tables: Path, made: "Callable[[Path], pa.Table]", labelled: bool = True
) -> "pd.DataFrame":
    """The rows of a project that `made` gives, checked; all of them have their label where they are `labelled`.

    Raises:
        DataUnreadable: a table, a column, a time or a label is missing.
    """
    import duckdb

    try:
        table = made(tables)
    except (duckdb.IOException, duckdb.BinderException, duckdb.InvalidInputException) as error:
        raise DataUnreadable(f"The rows of {project.name} cannot be read from {tables}: {error}") from error
    if twice := sorted({name for name in table.column_names if table.column_names.count(name) > 1}):
        raise DataUnreadable(f"The entity rows of {project.name} have more than one column {', '.join(twice)}.")
    _check_names(project, table.column_names)
    rows: pd.DataFrame = table.to_pandas()
    if missing := [name for name in (EVENT_TIME, LABEL_TIME, project.label, *project.keep) if name not in rows]:
        raise DataUnreadable(f"The entity rows of {project.name} lack the column {', '.join(missing)}.")
    if rows.empty:
        raise DataUnreadable(f"{project.name} has no entity rows in {tables}; ingest more rows.")
    for name in (EVENT_TIME, LABEL_TIME):
        rows[name] = _times(project, rows[name])
    for name in (EVENT_TIME, LABEL_TIME, *([project.label] if labelled else ())):
        if empty := int(rows[name].isna().sum()):
            raise DataUnreadable(
                f"{empty} of {len(rows)} entity rows of {project.name} have no {name}; leave them out."
            )
    return rows


def _check_names(project: FeatureProject, names: "list[str]") -> None:
    """Refuse what DuckDB, which joins them, cannot tell apart or name."""
    lower = [name.lower() for name in names]
    if odd := sorted(name for name in names if lower.count(name.lower()) > 1):
        raise DataUnreadable(
            f"The entity rows of {project.name} have columns {', '.join(odd)}, which differ in case only; rename one."
        )
    if odd := sorted(name for name in names if not name or name.lower().startswith(RESERVED)):
        raise DataUnreadable(
            f"The entity rows of {project.name} have a column {odd[0]!r}; give it a name that is not empty and does "
            f"not begin with {RESERVED}."
        )


def _times(project: FeatureProject, column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Timestamps in UTC to the microsecond, from timestamps, dates or text; without a zone they are UTC."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        raise DataUnreadable(
            f"{column.name} of the entity rows of {project.name} holds {column.dtype}; write timestamps in UTC."
        )
    try:
        times = pd.to_datetime(column, utc=True, format="ISO8601").astype("datetime64[us, UTC]")
        if not (outside := times.dropna()[~times.dropna().dt.year.between(MINYEAR, MAXYEAR)]).empty:
            raise ValueError(f"year {outside.dt.year.iloc[0]}, of 1 to 9999")
        return times
    except (ValueError, TypeError) as error:
        reason = str(error).split(". You")[0]  # then comes advice on pandas
        raise DataUnreadable(
            f"{column.name} of the entity rows of {project.name} holds what is no time ({reason}); "
            "write timestamps, or text such as 2024-03-30T12:00:00Z."
        ) from error


def joined(repository: FeatureRepository, rows: "pd.DataFrame") -> "pd.DataFrame":
    """The rows in time order with their features as they stood, each column as the project says.

    Raises:
        DataUnreadable: a column is none of its kind.
        FeaturesUnavailable: Feast cannot give a feature that the project lists.
    """
    return _columns(repository.project, _join(repository, rows))


def _join(repository: FeatureRepository, rows: "pd.DataFrame") -> "pd.DataFrame":
    import_feast()
    from seaway.features.sources import LIBRARY_ERRORS  # now that Feast is there

    try:
        store = open_store(repository.path)
        service = store.get_feature_service(repository.project.service)
        found: pd.DataFrame = store.get_historical_features(rows, service).to_df()
    except SeawayError:
        raise
    except (*LIBRARY_ERRORS, *stores.errors()) as error:
        raise FeaturesUnavailable(f"Feast cannot give the features of {repository.path}: {told(error)}") from error
    return found


def _columns(project: FeatureProject, found: "pd.DataFrame") -> "pd.DataFrame":
    from pandas.api.types import pandas_dtype

    kept = (*project.keep, EVENT_TIME, LABEL_TIME, *project.numeric, *project.categorical, project.label)
    if missing := [name for name in kept if name not in found]:
        raise FeaturesUnavailable(f"No feature view or entity row of {project.name} gives {', '.join(missing)}.")
    kinds = dict.fromkeys(project.numeric, "float32") | dict.fromkeys(project.categorical, "string")
    if project.task == "binary" and found[project.label].dtype.kind in "biuf" and found[project.label].notna().all():
        kinds[project.label] = "int8"
    examples = found[list(kept)].copy()
    for name in (EVENT_TIME, LABEL_TIME):
        examples[name] = _times(project, examples[name])  # a store may give them without a zone
    for name, kind in kinds.items():
        try:
            examples[name] = examples[name].astype(pandas_dtype(kind))
        except (ValueError, TypeError) as error:
            raise DataUnreadable(f"Column {name} of {project.name} is to be {kind}, and is not: {error}.") from error
    return examples.sort_values([EVENT_TIME, *project.keep], ignore_index=True)
