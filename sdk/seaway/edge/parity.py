"""Whether two models are the same, as statistics over the answers that they give to the same rows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from seaway.evaluation import rows as held_out
from seaway.tasks import Estimate, Task
from seaway.tasks.estimate import Array, Floats, Z, estimates, rounded

QUANTILES = (0.5, 0.9, 0.99, 0.999)
WORST = 5  # rows, and slices, that are named
LEAST = 20  # rows of a slice that is named
ORIGINAL, EDGE = "original", "edge"


@dataclass(frozen=True)
class Row:
    """A row that the two answer most differently."""

    row: int
    difference: float
    original: list[float]
    edge: list[float]


@dataclass(frozen=True)
class Slice:
    """Rows that have a value in a column, and how they differ."""

    column: str
    value: str
    rows: int
    mean_difference: float
    flips: int


@dataclass(frozen=True)
class Parity:
    """How the answers of a model for a device differ from the original's.

    Attributes:
        rows: that both answered.
        not_finite: rows that the device answers with NaN or infinity; their difference counts as infinite.
        maximum: the largest difference of any value of an answer.
        quantiles: of the rows' differences, by their share.
        flips: rows whose decision changed; None where an answer is a number and nothing is decided.
        flip_rate: their share with its 95 % interval (Wilson's).
        metric: the task's first figure of both, and the paired difference of the device less the original; None without
            labels, or where an answer is none of the task.
        worst_rows: those that differ most, the worst first.
        worst_slices: those with the largest mean difference.
    """

    rows: int
    not_finite: int
    maximum: float
    quantiles: dict[str, float]
    flips: int | None
    flip_rate: Estimate | None
    metric: dict[str, Any] | None
    worst_rows: list[Row]
    worst_slices: list[Slice]

    def to_json(self) -> dict[str, Any]:
        """As `evaluation.json` has it; an infinite difference is null."""
        told = asdict(self)
        told["maximum"] = _number(self.maximum)
        told["quantiles"] = {share: _number(value) for share, value in self.quantiles.items()}
        told["worst_rows"] = [_finite(asdict(one)) for one in self.worst_rows]
        told["worst_slices"] = [_finite(asdict(one)) for one in self.worst_slices]
        return told | {"flip_rate": self.flip_rate.to_json() if self.flip_rate else None}


def parity(
    original: Floats,
    edge: Floats,
    task: Task | None,
    labels: Array | None = None,
    rows: pa.Table | None = None,
    slices: Sequence[str] = (),
) -> Parity:
    """Compare two models' answers to the same rows.

    Args:
        original: Of the model as it was trained, [rows, ...].
        edge: Of the model on the device, of the same shape.
        task: What is decided by an answer, and how good it is; None where nobody says.
        labels: The truth in the task's form, where it is known.
        rows: The rows, which slices are cut of.
        slices: Columns of them.
    """
    one, other = (np.asarray(values, np.float64).reshape(len(original), -1) for values in (original, edge))
    differences = _differences(one, other)
    changed = _changed(task, original, edge)
    worst = np.argsort(-differences, kind="stable")[:WORST]
    return Parity(
        len(one),
        int((~np.isfinite(other)).any(axis=1).sum()),
        float(differences.max()),
        {f"{share:g}": float(np.quantile(differences, share, method="higher")) for share in QUANTILES},
        None if changed is None else int(changed.sum()),
        None if changed is None else wilson(int(changed.sum()), len(changed)),
        _metric(task, original, edge, labels),
        [Row(int(row), float(differences[row]), one[row].tolist(), other[row].tolist()) for row in worst],
        _slices(rows, slices, differences, changed),
    )


def wilson(count: int, rows: int) -> Estimate:
    """A share with the interval of Wilson 1927, which has a width where nothing was found, too."""
    share, weight = count / rows, Z * Z / rows
    middle = (share + weight / 2) / (1 + weight)
    half = Z * float(np.sqrt(share * (1 - share) / rows + weight / (4 * rows))) / (1 + weight)
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half))


def _differences(one: Floats, other: Floats) -> Floats:
    """The largest of each row."""
    with np.errstate(invalid="ignore"):
        largest: Floats = np.abs(one - other).max(axis=1)
    return np.where(np.isfinite(largest), largest, np.inf)


def _changed(task: Task | None, original: Floats, edge: Floats) -> Array | None:
    """Rows whose decision is another one, or none at all."""
    if task is None or (before := task.decided(task.answers(original))) is None:
        return None
    answers = task.answers(edge)
    after = task.decided(answers)
    lost = np.asarray(~np.isfinite(answers.reshape(len(answers), -1)).all(axis=1))
    another: Array = (np.asarray(before) != np.asarray(after)).reshape(len(answers), -1).any(axis=1)
    return another | lost


def _metric(task: Task | None, original: Floats, edge: Floats, labels: Array | None) -> dict[str, Any] | None:
    if task is None or labels is None or task.measurable(labels):
        return None
    answers = {EDGE: task.answers(edge), ORIGINAL: task.answers(original)}
    if not all(np.isfinite(values).all() for values in answers.values()):
        return None
    figures, differences = estimates({name: task.measured(values, labels) for name, values in answers.items()}, EDGE)
    name = task.primary.name
    return {
        **task.primary.to_json(),
        **{which: found[name].to_json() for which, found in figures.items()},
        "difference": differences[ORIGINAL][name].to_json(),
    }


def _slices(rows: pa.Table | None, columns: Sequence[str], differences: Floats, changed: Array | None) -> list[Slice]:
    if rows is None:
        return []
    found = [
        Slice(
            column, value, int(mask.sum()), float(differences[mask].mean()),
            0 if changed is None else int(changed[mask].sum()),
        )
        for column in columns for value, mask in held_out.slices(rows, column) if mask.sum() >= LEAST
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.flips, -one.mean_difference))[:WORST]


def _number(value: float) -> float | None:
    return rounded(value) if np.isfinite(value) else None


def _finite(told: dict[str, Any]) -> dict[str, Any]:
    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(each) for each in value]
        return _number(value) if isinstance(value, float) else value

    return {name: one(value) for name, value in told.items()}
