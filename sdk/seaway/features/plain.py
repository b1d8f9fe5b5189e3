"""Training examples out of one table, without a feature repository: chosen columns, checked labels, four splits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seaway import tasks
from seaway.data.augmentation.siblings import refuse_augmented
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features.contents import contents
from seaway.features.examples import ExampleCounts, write_splits
from seaway.features.project import EVENT_TIME, LABEL_TIME
from seaway.features.splits import SplitSpec, split

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


CLASSES = ("binary", "multiclass")  # tasks whose labels name a class


@dataclass(frozen=True)
class PlainSpec:
    """Which columns of a table are what.

    Attributes:
        label: What is predicted; rows without it are left out.
        task: What it means to predict it.
        numeric, categorical: Inputs that are numbers, and those that are categories.
        images: Inputs that are pictures: bytes of a file, or URIs, which are fetched.
        texts: Inputs that are written for people.
        keep: Further columns, for identity and slices.
        time: When a row happened: the splits follow each other; empty splits at random.
        seed: Of the order of rows without a time.

    Raises:
        InvalidSpec: there is no input, or a column has two roles.
    """

    label: str
    task: str = "binary"
    numeric: Sequence[str] = ()
    categorical: Sequence[str] = ()
    keep: Sequence[str] = ()
    time: str = ""
    seed: int = 0
    images: Sequence[str] = ()
    texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        named = [*self.inputs, self.label]
        if len(named) == 1:
            raise InvalidSpec("No column is numeric, categorical, an image or a text; there is nothing to learn from.")
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise InvalidSpec(f"{', '.join(twice)} cannot have two roles; a column is one kind of input, or the label.")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Of every kind."""
        return (*self.numeric, *self.categorical, *self.images, *self.texts)

    @property
    def columns(self) -> list[str]:
        """All that is read."""
        times = [self.time] if self.time else []
        return list(dict.fromkeys([*self.keep, *times, *self.inputs, self.label]))


def plain_examples(table: Path, spec: PlainSpec, splits: SplitSpec, output: Mapping[str, Path]) -> ExampleCounts:
    """Write one Parquet file a split out of the table in the Parquet file `table`.

    Rows with a time get it as `event_timestamp`, too, and are split by it; others are split at random, by the seed.

    Raises:
        DataUnreadable: the table, a column or a picture's file is missing, rows are augmented, too few have a label, or
            a label is none of the task.
    """
    refuse_augmented(table, "split first, then augment the training split.")
    rows = _labelled(read(table, spec.columns), spec.label, table)
    parts = dict(_in_time(rows, spec, splits) if spec.time else _at_random(rows, spec, splits))
    if empty := [name for name, part in parts.items() if part.empty]:
        raise DataUnreadable(f"{len(rows)} rows of {table.stem} leave none for {', '.join(empty)}; give more rows.")
    values = parts["train"][spec.label].to_numpy()
    task = tasks.named(spec.task, spec.label, values, "The training rows")
    written = write_splits({name: typed(part, spec) for name, part in parts.items()}, output, task)
    return ExampleCounts(written, purged=len(rows) - sum(part.rows for part in written.values()))


def read(table: Path, columns: list[str]) -> "pa.Table":
    """Columns of a Parquet file. Raises: DataUnreadable: it is missing, or one of them is."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(table) as file:
            there = file.schema_arrow.names
            if missing := [name for name in columns if name not in there]:
                raise DataUnreadable(f"{table.stem} has no column {', '.join(missing)}; it has: {', '.join(there)}.")
            return file.read(columns)
    except (OSError, ValueError) as error:
        raise DataUnreadable(f"{table} is no readable Parquet file ({error}); ingest the tables anew.") from error


def _labelled(table: "pa.Table", label: str, source: Path) -> "pd.DataFrame":
    rows: pd.DataFrame = table.filter(table[label].is_valid()).to_pandas()
    if rows.empty:
        raise DataUnreadable(f"No row of {source.stem} has a {label!r}; there is nothing to learn from.")
    return rows


def _in_time(rows: "pd.DataFrame", spec: PlainSpec, splits: SplitSpec) -> "Mapping[str, pd.DataFrame]":
    return dict(split(timed(rows, spec).sort_values(EVENT_TIME, kind="stable", ignore_index=True), splits))


def timed(rows: "pd.DataFrame", spec: PlainSpec) -> "pd.DataFrame":
    """The rows with their time as `event_timestamp`. Raises: DataUnreadable: a row has none."""
    import pandas as pd

    if missing := int(rows[spec.time].isna().sum()):
        raise DataUnreadable(
            f"{missing} of {len(rows)} rows have no {spec.time!r}; leave them out, or split without it."
        )
    times = pd.to_datetime(rows[spec.time], utc=True).astype("datetime64[us, UTC]")
    return rows.assign(**{EVENT_TIME: times, LABEL_TIME: times})


def _at_random(rows: "pd.DataFrame", spec: PlainSpec, splits: SplitSpec) -> "Mapping[str, pd.DataFrame]":
    shuffled = _spread(rows.sample(frac=1, random_state=spec.seed, ignore_index=True), spec)
    ends, share, start = {}, 0.0, 0
    for name, fraction in splits.fractions.items():
        share += fraction
        end = round(share * len(shuffled))
        ends[name] = shuffled.iloc[start:end]
        start = end
    return ends


def _spread(rows: "pd.DataFrame", spec: PlainSpec) -> "pd.DataFrame":
    """The rows with those of each class spread evenly, so that every split has its share of a rare one."""
    if spec.task not in CLASSES:
        return rows
    classes = rows.groupby(spec.label, sort=False)[spec.label]
    places = (classes.cumcount() + 0.5) / classes.transform("size")
    return rows.iloc[places.argsort(kind="stable").to_numpy()]


def typed(part: "pd.DataFrame", spec: PlainSpec) -> "pd.DataFrame":
    """Keys, times, inputs and label, each as its role wants it; pictures as bytes."""
    kinds = dict.fromkeys(spec.numeric, "float32") | dict.fromkeys([*spec.categorical, *spec.texts], "string")
    times = [name for name in (EVENT_TIME, LABEL_TIME) if name in part]
    ordered = [*spec.keep, *times, *spec.inputs, spec.label]
    pictures = {name: contents(part[name].tolist(), f"Column {name!r}") for name in spec.images}
    return part[list(dict.fromkeys(ordered))].astype(kinds).assign(**pictures)
