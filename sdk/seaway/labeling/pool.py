"""The rows that may be asked about, out of files: what a model says of them, and which are chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.labeling import tables
from seaway.labeling.choice import RANDOM, Floats, Pool, Whole, choose
from seaway.models.signature import Signature
from seaway.storage.arrow_numpy import numbers
from seaway.tasks import Target

CHOSEN_BY, PREDICTED, SCORE = "chosen_by", "predicted_label", "predicted_score"
BINARY = ("0", "1")


@dataclass(frozen=True)
class Choice:
    """What is chosen, and how.

    Attributes:
        count: Rows, at most.
        key: Column by which a row is known.
        strategy: `entropy`, `margin`, `badge`, `core_set` or `random`.
        random_share: Of the rows, that are chosen at random.
        embedding: Columns of numbers, or of lists of numbers, that say what a row is like.
        seed: Of all that is drawn.
    """

    count: int
    key: str
    strategy: str = "entropy"
    random_share: float = 0.1
    embedding: Sequence[str] = ()
    seed: int = 0


def choose_rows(
    pool: Path,
    choice: Choice,
    target: Path,
    *,
    model: Path | None = None,
    predictions: Path | None = None,
    labelled: Path | None = None,
) -> str:
    """Write the chosen rows of `pool` with how each was chosen and what the model says of it; a line that tells them.

    Args:
        pool: Parquet file, or a folder of them.
        choice: See there.
        target: Parquet file.
        model: Package or trained model that `predictions` are of.
        predictions: Answers to the pool's rows, in their order, made by `predict_batch`.
        labelled: Rows with the same key that have labels: they are not chosen again.

    Raises:
        DataUnreadable: rows, a key or a column are missing, the predictions are not of these rows, or all have labels.
        InvalidSpec: the strategy lacks what it goes by, or the model predicts no classes.
    """
    rows = tables.read(pool)
    keys = tables.keys(rows, choice.key, str(pool))
    embeddings = _embeddings(rows, choice.embedding)
    probabilities, classes = _answers(model, predictions, len(keys))
    left, done = _split(keys, labelled, choice.key)
    found = Pool(
        len(left),
        None if probabilities is None else probabilities[left],
        None if embeddings is None else embeddings[left],
        None if embeddings is None else embeddings[done],
    )
    by_strategy, at_random = choose(found, choice.count, choice.strategy, choice.random_share, choice.seed)
    chosen = left[np.concatenate([by_strategy, at_random])]
    told = [choice.strategy] * len(by_strategy) + [RANDOM] * len(at_random)
    tables.write(
        _told(rows.take(chosen), told, None if probabilities is None else probabilities[chosen], classes), target
    )
    return f"{len(by_strategy)} rows by {choice.strategy}, {len(at_random)} at random, of {len(left):,}"


def _split(keys: list[str], labelled: Path | None, key: str) -> tuple[Whole, Whole]:
    """Places of the rows without labels, and of those with."""
    known = set(tables.keys(tables.read(labelled), key, str(labelled))) if labelled else set[str]()
    has = np.array([one in known for one in keys])
    if has.all():
        raise DataUnreadable(f"All {len(keys)} rows have labels; give rows that have none.")
    return np.flatnonzero(~has), np.flatnonzero(has)


def _embeddings(rows: pa.Table, columns: Sequence[str]) -> Floats | None:
    """Each column with a mean of 0 and a deviation of 1, a missing number at the mean; [rows, width]."""
    if not columns:
        return None
    tables.require(rows, columns, "The pool")
    values = np.column_stack([_numbers(rows[name], name) for name in columns])
    with np.errstate(invalid="ignore"):
        centred = values - np.nanmean(values, axis=0)
    centred[np.isnan(centred)] = 0
    deviation = centred.std(axis=0)
    found: Floats = centred / np.where(deviation > 0, deviation, 1)
    return found


def _numbers(column: pa.ChunkedArray, name: str) -> Floats:
    kind = column.type
    try:
        if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
            return np.array(column.to_pylist(), np.float64)
        return numbers(column)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise DataUnreadable(
            f"Column {name!r} holds {kind}, not numbers or lists of one length; leave it out."
        ) from error


def _answers(model: Path | None, predictions: Path | None, rows: int) -> tuple[Floats | None, tuple[str, ...]]:
    """The probability of each class, and the classes; None where no model was asked."""
    if (model is None) != (predictions is None):
        raise InvalidSpec("`model` and `predictions` go together: the one says what the other means.")
    return answers(model, predictions, rows) if model and predictions else (None, ())


def answers(model: Path, predictions: Path, rows: int) -> tuple[Floats, tuple[str, ...]]:
    """The probability of each class, [rows, classes], and the classes.

    Raises:
        DataUnreadable: the predictions are not of so many rows.
        InvalidSpec: the model predicts no classes.
    """
    signature = Signature.read(model)
    target, name = _target(signature), signature.prediction
    column = tables.read(predictions, [name])[name]
    if len(column) != rows:
        raise DataUnreadable(f"{len(column)} predictions for {rows} rows; predict the rows of this pool.")
    values = _numbers(column, name).reshape(rows, -1)
    if values.shape[1] > 1:
        return values, target.classes
    return np.hstack([1 - values, values]), target.classes or BINARY


def _target(signature: Signature) -> Target:
    target = signature.target
    if target is None or target.task not in ("binary", "multiclass"):
        raise InvalidSpec(
            f"The model {signature.name!r} predicts no class; choose by `core_set` or `random` without it."
        )
    return target


def _told(rows: pa.Table, by: list[str], probabilities: Floats | None, classes: Sequence[str]) -> pa.Table:
    """The rows with the columns of the choice."""
    rows = rows.drop_columns([name for name in (CHOSEN_BY, PREDICTED, SCORE) if name in rows.column_names])
    rows = rows.append_column(CHOSEN_BY, pa.array(by, pa.string()))
    if probabilities is None:
        return rows
    called = probabilities.argmax(axis=1)
    rows = rows.append_column(PREDICTED, pa.array([classes[place] for place in called], pa.string()))
    return rows.append_column(SCORE, pa.array(probabilities.max(axis=1), pa.float64()))
