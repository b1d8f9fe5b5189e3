"""Labels and what they say together, as files; and rows with their new labels, for training."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seaway.errors import DataUnreadable
from seaway.labeling import tables
from seaway.labeling.aggregation import Aggregated, aggregate
from seaway.labeling.choice import RANDOM
from seaway.labeling.items import Label
from seaway.labeling.pool import CHOSEN_BY
from seaway.labeling.sending import Sent

LABELS = pa.schema(
    [("key", pa.string()), ("annotator", pa.string()), ("label", pa.string()), ("seconds", pa.float64())]
)
CONFIDENCE = "label_confidence"


def write_labels(labels: Sequence[Label], target: Path) -> None:
    """One row a label."""
    rows = [{"key": one.key, "annotator": one.annotator, "label": one.value, "seconds": one.seconds} for one in labels]
    tables.write(pa.Table.from_pylist(rows, LABELS), target)


def read_labels(source: Path) -> list[Label]:
    """Raises: DataUnreadable: there is none, or a column is missing."""
    columns = tables.read(source, LABELS.names).to_pydict()
    return [Label(*row) for row in zip(*(columns[name] for name in LABELS.names), strict=True)]


def aggregate_file(labels: Path, sent: Path, target: Path, method: str, price: float) -> Aggregated:
    """Write one row an item that has labels: `key`, `label`, `confidence`, `votes`, `agreement`, `golden`.

    Raises:
        DataUnreadable, InvalidSpec: see `aggregate`.
    """
    asked = Sent.read(sent)
    found = aggregate(read_labels(labels), asked.question.classes, method, asked.golden, price)
    tables.write(pa.Table.from_pylist([vars(one) for one in found.items]), target)
    return found


def add_labels(
    rows: Path, labels: Path, examples: Path, key: str, label: str, least_confidence: float, train: Path, audit: Path
) -> str:
    """Training examples with those of `rows` that people have labelled; returns a line that tells them.

    Rows that were chosen at random go to `audit` instead: a fair sample of the pool, which no model has seen.

    Args:
        rows: Made by `choose_rows`, with each column of the examples.
        labels: Made by `aggregate_file`.
        examples: Parquet file.
        key: Column of `rows`.
        label: Column of the examples that holds the class.
        least_confidence: Below it a label is not taken.
        train, audit: Parquet files that are written; each has the examples' columns and `label_confidence`.

    Raises:
        DataUnreadable: a column is missing or of another type, or no label is sure enough.
    """
    old = tables.read(examples)
    tables.require(old, [label], str(examples))
    if CONFIDENCE not in old.column_names:
        old = old.append_column(CONFIDENCE, pa.array([1.0] * old.num_rows))
    chosen, sure = _labelled(rows, labels, key, least_confidence)
    answers = {label: _typed(sure["label"], old, label), CONFIDENCE: sure["confidence"]}
    new = pa.table({one.name: answers.get(one.name) or _column(chosen, one.name, one.type) for one in old.schema})
    fair = _chosen_at_random(chosen)
    taught = new.filter(pc.invert(fair))
    tables.write(pa.concat_tables([old, taught.cast(old.schema)]), train)
    tables.write(new.filter(fair), audit)
    return f"{old.num_rows:,} examples and {taught.num_rows:,} new ones; {new.num_rows - taught.num_rows} for an audit"


def _chosen_at_random(rows: pa.Table) -> pa.ChunkedArray | pa.Array:
    if CHOSEN_BY not in rows.column_names:
        return pa.array([False] * rows.num_rows)
    return pc.equal(rows[CHOSEN_BY], RANDOM)


def _labelled(rows: Path, labels: Path, key: str, least: float) -> tuple[pa.Table, pa.Table]:
    """The rows that have a sure label, and their labels, in one order."""
    table = tables.read(rows)
    place = {one: number for number, one in enumerate(tables.keys(table, key, str(rows)))}
    found = tables.read(labels, ["key", "label", "confidence"])
    known = pa.array([one in place for one in found["key"].to_pylist()], pa.bool_())
    sure = found.filter(pc.and_(known, pc.greater_equal(found["confidence"], least)))
    if not sure.num_rows:
        raise DataUnreadable(
            f"None of {found.num_rows} labels is of one of these rows with a confidence of {least:g} or more; ask more "
            "annotators, or lower `least_confidence`."
        )
    return table.take([place[one] for one in sure["key"].to_pylist()]), sure


def _column(rows: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    tables.require(rows, [name], "The chosen rows: the examples' columns are wanted; they")
    try:
        return rows[name].cast(kind)
    except pa.ArrowException as error:
        raise DataUnreadable(
            f"Column {name!r} is {rows[name].type} in the chosen rows and {kind} in the examples."
        ) from error


def _typed(values: pa.ChunkedArray, examples: pa.Table, label: str) -> pa.ChunkedArray:
    """Classes as the examples have them: text, whole numbers, or 0 and 1."""
    kind = examples.schema.field(label).type
    try:
        return values.cast(pa.bool_() if pa.types.is_boolean(kind) else kind)
    except pa.ArrowException as error:
        raise DataUnreadable(
            f"The labels {values[:3].to_pylist()} are no {kind}, as {label!r} of the examples is."
        ) from error
