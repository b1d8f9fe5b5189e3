"""Prodigy's JSON lines: a task a line with its `answer`; classes are `label` or `accept`, boxes are `spans`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seaway.labeling.formats.annotated import ANNOTATOR, BOXES, LABEL, SIZE, TEXT, Annotated, Box, classes, need
from seaway.labeling.formats.files import read_lines, write_lines

KEEPS = (LABEL, ANNOTATOR, TEXT, SIZE, BOXES)
KEY = "key"  # in `meta`


def read(source: Path) -> list[Annotated]:
    """One a line that was accepted: a rejected label is no label. Raises: DataUnreadable."""
    return [_read(one, where) for where, one in read_lines(source) if one.get("answer", "accept") == "accept"]


def _read(task: Any, where: str) -> Annotated:
    named = task.get("meta", {}).get(KEY) or task.get("image") or task.get("path") or task.get("_input_hash")
    accepted = task.get("accept") or [task.get("label", "")]
    label, others = classes(accepted)
    spans = task.get("spans", ())
    boxes = [_box(one, where) for one in spans if _is_box(one)]
    return Annotated(
        str(named if named is not None else need(task, "text", where)),
        label,
        str(task.get("_annotator_id", "")),
        str(task.get("text", "")),
        int(task.get("width", 0)),
        int(task.get("height", 0)),
        tuple(boxes),
        (*others, *(f"a {one.get('type', 'span')}" for one in spans if not _is_box(one))),
    )


def _is_box(one: Any) -> bool:
    return one.get("type", "rect") == "rect" and "width" in one


def _box(one: Any, where: str) -> Box:
    return Box(
        str(need(one, "label", where)), *(float(need(one, name, where)) for name in ("x", "y", "width", "height"))
    )


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file."""
    write_lines((_task(row) for row in rows), target)


def _task(row: Annotated) -> dict[str, Any]:
    drawn = [
        {"type": "rect", "label": box.label, "x": box.x, "y": box.y, "width": box.width, "height": box.height,
         "points": [[box.x, box.y], [box.x, box.corners[3]], [*box.corners[2:]], [box.corners[2], box.y]]}
        for box in row.boxes
    ]  # fmt: skip
    said: dict[str, Any] = {"text": row.text} if row.text else {"image": row.key}
    said |= {"width": row.width, "height": row.height} if row.uses(SIZE) else {}
    said |= {"label": row.label, "accept": [row.label]} if row.label else {}
    said |= {"spans": drawn} if drawn else {}
    said |= {"_annotator_id": row.annotator} if row.annotator else {}
    return {**said, "answer": "accept", "meta": {KEY: row.key}}
