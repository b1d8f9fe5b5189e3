"""What each column is in a project: the label, an input of some kind, or left out, and why."""

import re
from collections.abc import Sequence

from seaway.data.columns import Column
from seaway.features.project import EVENT_TIME, LABEL_TIME
from seaway.models.signature import EMBEDDING
from seaway.monitoring.drift import MISSING, PREDICTION
from seaway.projects.seen import TIME, Seen, Wishes

IDENTITY = 0.9  # of the rows that a text tells apart: it names the row, and says nothing of the next one
RARE = 200  # categories that a small network learns something of
WORDS = 5  # of a usual value, from which on a text is written for people
NUMBERING = re.compile(r"(?i)(.*[_ .-])?(id|key|no|nr|num|number|index|uuid|guid|rownames?|row|unnamed.*|column0)")
RESERVED = (EVENT_TIME, LABEL_TIME, PREDICTION)  # columns of examples and of what is watched
BY_NAME = ("binary", "multiclass")  # tasks whose labels name a class


def kind_of(column: Column, wishes: Wishes, task: str) -> str:
    """What a column is read as; empty for one that is not read."""
    if column.kind == "other":
        return ""
    if column.name in (wishes.entity, wishes.text):
        return "text"
    if column.name == wishes.label and task in BY_NAME:
        positive = column.kind == "truth" or (column.number and column.low in (0, 1) and column.high in (0, 1))
        return column.kind if task == "binary" and positive else "class"
    return column.kind


def prose(seen: Seen, wishes: Wishes) -> Sequence[Column]:
    """Columns of texts that are written for people rather than names of something, the longest texts first."""
    others = (wishes.label, wishes.entity, wishes.time, *RESERVED, EMBEDDING)
    found = [one for one in seen.columns.values() if one.name not in others and _is_prose(one, seen.rows)]
    return sorted(found, key=lambda one: -one.words)


def _is_prose(column: Column, rows: int) -> bool:
    told_apart = column.distinct > min(RARE, (rows - column.missing) / 2)
    return column.kind == "text" and column.words >= WORDS and told_apart


def inputs(seen: Seen, wishes: Wishes, output: str = "") -> Sequence[Column]:
    """Columns that are inputs as numbers and categories."""
    named = (wishes.label, seen.content.column if seen.content else "")
    return [
        one for one in seen.columns.values() if one.name not in named and not why_no_input(one, wishes, seen, output)
    ]


def why_no_input(column: Column, wishes: Wishes, seen: Seen, output: str = "") -> str:
    """Why a column is none of the model's inputs; empty where it is one. `output` is what the model's is called."""
    filled = seen.rows - column.missing
    naming = column.kind == "text" and column.distinct > max(RARE, IDENTITY * filled)
    content = seen.content
    reserved = (*RESERVED, output, *([EMBEDDING] if content else ()))
    reading, named, picture = (content.column, content.file, bool(content.folder)) if content else ("", "", False)
    prosaic = _is_prose(column, seen.rows)
    reasons = {
        "it says which row or when": column.name in (wishes.entity, wishes.time),
        "": column.name == reading,
        "it names the picture": picture and column.name == named,
        f"the model reads the {reading} alone": picture,
        f"a model reads one text, here {reading}; --text chooses another": bool(reading) and prosaic,
        f"it holds texts; --text {column.name} reads them, by seaway[text] and without look-ups": prosaic,
        "it holds lists or structures": column.kind == "other",
        "it is a time; derive what it tells, such as the weekday": column.kind.startswith(TIME),
        "it is empty": not column.distinct,
        "all rows have the same value": column.distinct == 1 and not column.missing,
        "its name is one that examples or answers have; call it otherwise": column.name in reserved
        or column.name.endswith(MISSING),
        f"its {column.distinct:,} different texts name the rows": naming,
        "its numbers name the rows": _numbers_rows(column, filled, seen.rows),
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _numbers_rows(column: Column, filled: int, rows: int) -> bool:
    """Whether whole numbers, each of them once, count the rows, or are called like what names one."""
    if not (column.number and column.whole and column.distinct == filled == rows):
        return False
    counting = column.high is not None and column.low in (0, 1) and column.high - column.low + 1 == rows
    return bool(NUMBERING.fullmatch(column.name) or (counting and column.low is not None))
