"""What a project is to be, from what its file holds: task, inputs, sizes of the training, steps of the canary."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seaway.data.files import Column, columns
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features.project import EVENT_TIME, LABEL_TIME

NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
FEWEST_ROWS = 40  # labelled; of fewer no split is left to learn from or to judge by
BINARY = 2
MOST_CLASSES = 50  # of text; more are texts, not classes
WHOLE_CLASSES = 12  # of whole numbers; more are amounts
IDENTITY = 0.9  # of the rows that a text tells apart: it names the row, and says nothing of the next one
RARE = 200  # categories that a small network learns something of
FRACTIONS = (0.6, 0.15, 0.125, 0.125)  # train, validation, test, replay
REQUESTS = 4_000  # that show errors of 1 % and a doubled latency beyond doubt; fewer rows are sent more than once
STEPS = ((5, 0.1), (25, 0.12), (50, 0.2), (100, 0.2))  # per cent of the traffic, share of the requests
MARGIN_ROWS = 1.5  # rises of the loss that n paired rows can tell are about this over the root of n
MARGINS = (0.02, 0.3)
BATCH = (16, 1024)
BATCHES = 40  # an epoch
EPOCHS, PATIENCE = 40, 6


@dataclass(frozen=True)
class Wishes:
    """What a person says of the data; empty where it is to be found out."""

    data: Path
    label: str
    task: str = ""
    entity: str = ""
    time: str = ""


@dataclass(frozen=True)
class ProjectPlan:
    """Everything that the project's files say.

    `left_out` are the columns that are no inputs, each with the reason; `notes` are sentences on what was found and
    chosen.
    """

    name: str
    data: Path
    label: str
    task: str
    rows: int
    kinds: dict[str, str]
    numeric: list[str]
    categorical: list[str]
    columns: dict[str, Column]
    entity: str = ""
    time: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def package(self) -> str:
        """Its Python package; the ending keeps it from hiding another one, such as `json`."""
        return f"{self.name.replace('-', '_')}_data"

    @property
    def fractions(self) -> dict[str, float]:
        return dict(zip(("train", "validation", "test", "replay"), FRACTIONS, strict=True))

    @property
    def batch_size(self) -> int:
        """A power of two near a fortieth of the training rows."""
        wanted = max(1.0, self.rows * FRACTIONS[0] / BATCHES)
        return min(BATCH[1], max(BATCH[0], 1 << round(math.log2(wanted))))

    @property
    def held_out(self) -> int:
        """Rows that the canary can be judged by."""
        return max(1, int(self.rows * FRACTIONS[3]))

    @property
    def passes(self) -> int:
        return max(1, math.ceil(REQUESTS / self.held_out))

    @property
    def weights(self) -> list[int]:
        return [weight for weight, _ in STEPS]

    @property
    def requests(self) -> list[int]:
        """At each weight; two thirds of what there is, so that the judge may take longer."""
        total = self.held_out * self.passes
        return [max(1, round(share * total)) for _, share in STEPS]

    @property
    def quality_margin(self) -> float:
        """The least rise of the loss that so many rows can tell."""
        low, high = MARGINS
        return min(high, max(low, round(MARGIN_ROWS / math.sqrt(self.held_out), 2)))

    @property
    def gate(self) -> dict[str, float]:
        naive = "mean" if self.task == "regression" else "rate"
        return {f"beats:{naive}": 0.0}


def plan(name: str, wishes: Wishes) -> ProjectPlan:
    """Look at the file and say what the project is to be.

    Raises:
        InvalidSpec: the name is none for an endpoint, or a wish names a column that there is not.
        DataUnreadable: the file cannot be read, or has too few labelled rows or no inputs.
    """
    if not NAME.fullmatch(name):
        raise InvalidSpec(
            f"{name!r} is no name of an endpoint: use lower-case letters, digits and '-', a letter first."
        )
    rows, found = columns(wishes.data)
    known = {column.name: column for column in found}
    for wish, column in (("--label", wishes.label), ("--entity", wishes.entity), ("--time", wishes.time)):
        if column and column not in known:
            raise InvalidSpec(f"{wish} {column}: {wishes.data} has no such column; it has {', '.join(known)}.")
    label = known[wishes.label]
    task, why = (wishes.task, "as asked") if wishes.task else task_of(label)
    kinds = {one.name: kind for one in found if (kind := _kind(one, wishes, task))}
    left_out = {one.name: reason for one in found if (reason := _no_input(one, wishes, rows))}
    inputs = [one for one in found if one.name not in left_out and one.name != wishes.label]
    labelled = rows - label.missing
    if labelled < FEWEST_ROWS:
        raise DataUnreadable(
            f"{wishes.data} has {labelled} rows with a {wishes.label!r}; at least {FEWEST_ROWS} are needed to learn "
            "from some and to judge by others."
        )
    if not inputs:
        told = "; ".join(f"{column}: {reason}" for column, reason in left_out.items())
        raise DataUnreadable(f"No column of {wishes.data} can be an input ({told}).")
    return ProjectPlan(
        name=name,
        data=wishes.data.absolute(),
        label=wishes.label,
        task=task,
        rows=labelled,
        kinds={
            column: kinds[column]
            for column in kinds
            if column not in left_out or column in (wishes.entity, wishes.time)
        },
        numeric=[one.name for one in inputs if kinds[one.name] != "text"],
        categorical=[one.name for one in inputs if kinds[one.name] == "text"],
        columns=known,
        entity=wishes.entity,
        time=wishes.time,
        left_out=left_out,
        notes=[
            *_notes(found, label, task, why, rows),
            *(f"{column} is no input: {reason}." for column, reason in left_out.items()),
        ],
    )


def task_of(label: Column) -> tuple[str, str]:
    """The task that a label asks for, and why.

    Raises:
        DataUnreadable: it is none that can be predicted.
    """
    if label.kind == "truth" or (label.distinct == BINARY and label.kind in ("text", "number")):
        return "binary", "two values"
    if label.kind in ("number", "decimal comma"):
        if label.whole and label.distinct <= WHOLE_CLASSES:
            return "multiclass", f"{label.distinct} whole numbers; --task regression takes them for amounts"
        return "regression", "numbers"
    if label.kind == "text" and BINARY < label.distinct <= MOST_CLASSES:
        return "multiclass", f"{label.distinct} names"
    raise DataUnreadable(
        f"Column {label.name!r} has {label.distinct:,} values of kind {label.kind}: no label that can be predicted. "
        f"Give --label another column, or group its values into at most {MOST_CLASSES}."
    )


def _kind(column: Column, wishes: Wishes, task: str) -> str:
    """What a column is read as; empty for one that is not read."""
    if column.kind == "other":
        return ""
    if column.name == wishes.time:
        return "time"
    if column.name == wishes.entity:
        return "text"
    if column.name == wishes.label and task in ("binary", "multiclass") and column.kind == "number":
        numbers = column.low in (0, 1) and column.high in (0, 1)
        return "number" if task == "binary" and numbers else "text"
    return column.kind


def _no_input(column: Column, wishes: Wishes, rows: int) -> str:
    """Why a column is none of the model's inputs; empty where it is one."""
    naming = column.kind == "text" and column.distinct > max(RARE, IDENTITY * (rows - column.missing))
    reasons = {
        "it says which row or when": column.name in (wishes.entity, wishes.time),
        "it holds lists or structures": column.kind == "other",
        "it is a time; derive what it tells, such as the weekday": column.kind == "time",
        "all rows have the same value": column.distinct <= 1,
        "its name is that of a time that examples have; call it otherwise": column.name in (EVENT_TIME, LABEL_TIME),
        f"its {column.distinct:,} different texts name the rows": naming,
    }
    return next((why for why, holds in reasons.items() if holds and column.name != wishes.label), "")


def _notes(found: Sequence[Column], label: Column, task: str, why: str, rows: int) -> list[str]:
    gaps = f"{label.missing:,} of {rows:,} rows have no {label.name} and are left out."
    strange = [
        f"{one.name} is read as {one.kind}; {one.strangers:,} values are none ({', '.join(one.strange)}) and count as "
        "missing."
        for one in found
        if one.strangers
    ]
    return [f"The task is {task}: {label.name} holds {why}.", *([gaps] if label.missing else []), *strange]
