"""Rows of files as items of a queue, some of them golden."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.labeling import tables
from seaway.labeling.items import Item, Question, Value
from seaway.labeling.pool import PREDICTED, SCORE
from seaway.labeling.port import LabelQueue
from seaway.storage import read_json, write_json

SENT, ITEMS = "sent.json", "items.parquet"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,49}")  # a folder, and a title that Label Studio takes


@dataclass(frozen=True)
class Sent:
    """What was asked, as an artifact: `golden` are the known classes by key, which no queue sees."""

    queue: str
    backend: str
    address: str
    question: Question
    keys: list[str]
    golden: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Write the folder's two files."""
        golden = [self.golden.get(key) for key in self.keys]
        tables.write(
            pa.table({"key": pa.array(self.keys, pa.string()), "golden": pa.array(golden, pa.string())}), folder / ITEMS
        )
        told = {"queue": self.queue, "backend": self.backend, "address": self.address}
        write_json(folder / SENT, {**told, "question": self.question.to_json()})

    @classmethod
    def read(cls, folder: Path) -> "Sent":
        """Raises: DataUnreadable: the folder is none of `send_to_label`."""
        told, items = read_json(folder / SENT), tables.read(folder / ITEMS, ["key", "golden"])
        keys, golden = items["key"].to_pylist(), items["golden"].to_pylist()
        known = {key: value for key, value in zip(keys, golden, strict=True) if value is not None}
        return cls(told["queue"], told["backend"], told["address"], Question.from_json(told["question"]), keys, known)


@dataclass(frozen=True)
class Golden:
    """Rows whose class is known, mixed among the others to see who labels well."""

    rows: Path
    label: str


def send_rows(
    queue: LabelQueue,
    backend: str,
    name: str,
    question: Question,
    rows: Path,
    key: str,
    golden: Golden | None = None,
    seed: int = 0,
) -> tuple[Sent, int]:
    """Ask people about rows; what was sent, and how many items are new in the queue.

    Golden rows lie among the others, in an order by the seed.

    Raises:
        DataUnreadable: there are no rows, a column or a key is missing, or a golden row's class is none.
        InvalidSpec: the queue's name has other signs than letters, digits, `-` and `_`.
        NameTaken, LabelsUnavailable: see `LabelQueue.send`.
    """
    if not NAME.fullmatch(name):
        raise InvalidSpec(
            f"A queue is named by 3 to 50 letters, digits, '-' and '_', a letter or a digit first, not {name!r}."
        )
    items, truth = _items(rows, key, question), dict[str, str]()
    if golden:
        known = _items(golden.rows, key, question)
        truth = _truth(golden, key, question)
        if both := {item.key for item in items} & truth.keys():
            raise DataUnreadable(
                f"{len(both)} golden rows are among the others, such as {min(both)}; take them out of one."
            )
        mixed = [*items, *known]
        items = [mixed[place] for place in np.random.default_rng(seed).permutation(len(mixed))]
    new = queue.send(name, question, items)
    return Sent(name, backend, queue.address(name), question, [item.key for item in items], truth), new


def _items(path: Path, key: str, question: Question) -> list[Item]:
    table = tables.read(path)
    keys = tables.keys(table, key, str(path))
    tables.require(table, question.shown, str(path))
    shown = {name: [_shown(value, name) for value in table[name].to_pylist()] for name in question.shown}
    predicted = table[PREDICTED].to_pylist() if PREDICTED in table.column_names else [None] * len(keys)
    scores = table[SCORE].to_pylist() if SCORE in table.column_names else [None] * len(keys)
    return [
        Item(
            one,
            {name: values[place] for name, values in shown.items()},
            _class(predicted[place], question),
            scores[place],
        )
        for place, one in enumerate(keys)
    ]


def _class(value: str | None, question: Question) -> str:
    """A prediction, unless it is none of what is asked."""
    return value if value and value in question.classes else ""


def _shown(value: Any, name: str) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if value is None or isinstance(value, str | int | float | bool | bytes):
        return value
    if isinstance(value, list | dict | set | tuple):
        raise DataUnreadable(f"Column {name!r} holds {type(value).__name__}, which nobody can be shown; leave it out.")
    return str(value)


def _truth(golden: Golden, key: str, question: Question) -> dict[str, str]:
    table = tables.read(golden.rows)
    tables.require(table, [golden.label], "The golden rows")
    values = ["" if value is None else str(value) for value in table[golden.label].to_pylist()]
    if wrong := sorted({value for value in values if value not in question.classes}):
        raise DataUnreadable(
            f"Golden rows are of class {', '.join(wrong)}, which is none of {', '.join(question.classes)}."
        )
    return dict(zip(tables.keys(table, key, "the golden rows"), values, strict=True))
