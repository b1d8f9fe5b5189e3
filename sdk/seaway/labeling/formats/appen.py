"""Appen's (Figure Eight's) CSV of a job: a row a judgement, with `_unit_id`, `_worker_id` and the answer's column."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from seaway.errors import DataUnreadable
from seaway.labeling.formats.annotated import ANNOTATOR, LABEL, TEXT, Annotated
from seaway.labeling.formats.files import text, write_text

KEEPS = (LABEL, ANNOTATOR, TEXT)
UNIT, WORKER, ANSWER, SHOWN, KEY = "_unit_id", "_worker_id", "label", "text", "key"
MARKS = {"_golden": "a mark of a golden item", "_tainted": "a mark of a worker who is not trusted"}


def read(source: Path) -> list[Annotated]:
    """One a judgement; rows that are golden or tainted are like all others. Raises: DataUnreadable."""
    rows = csv.DictReader(io.StringIO(text(source), newline=""), strict=True)
    try:
        if lacking := {UNIT, ANSWER} - set(rows.fieldnames or ()):
            raise DataUnreadable(
                f"{source} has no column {', '.join(sorted(lacking))}; call the answer's column {ANSWER!r}."
            )
        return [
            Annotated(
                row.get(KEY) or row[UNIT],
                row[ANSWER] or "",
                row.get(WORKER) or "",
                row.get(SHOWN) or "",
                unread=tuple(told for mark, told in MARKS.items() if (row.get(mark) or "").lower() == "true"),
            )
            for row in rows
        ]
    except csv.Error as error:
        raise DataUnreadable(f"{source}:{rows.line_num} is no CSV ({error}).") from error


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file; units are numbered by their keys."""
    units = {key: number for number, key in enumerate(dict.fromkeys(row.key for row in rows), 1)}
    made = io.StringIO(newline="")
    lines = csv.writer(made, quoting=csv.QUOTE_ALL)
    lines.writerow([UNIT, "_golden", WORKER, "_trust", ANSWER, KEY, SHOWN])
    lines.writerows([units[row.key], "false", row.annotator, "1.0", row.label, row.key, row.text] for row in rows)
    write_text(made.getvalue(), target)
