"""Scale AI's tasks as JSON: boxes answer `imageannotation`, a class answers `categorization`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seaway.labeling.formats.annotated import BOXES, LABEL, TEXT, Annotated, Box, each, need
from seaway.labeling.formats.files import read_json, write_json

KEEPS = (LABEL, TEXT, BOXES)
BOXED, CLASSED = "imageannotation", "categorization"


def read(source: Path) -> list[Annotated]:
    """One an item: its boxes and its class are tasks of their own. Raises: DataUnreadable."""
    found: dict[str, Annotated] = {}
    for task in each(read_json(source), str(source)):
        where = f"{source}, task {task.get('task_id', '?')}"
        attached = need(task, ("params", "attachment"), where)
        text = attached if task["params"].get("attachment_type") == "text" else ""
        key = str(task.get("metadata", {}).get("key", attached))
        before = found.get(key, Annotated(key))
        label, boxes = _answer(task, where)
        found[key] = Annotated(
            key,
            label or before.label,
            text=text or before.text,
            boxes=(*before.boxes, *boxes),
            unread=(*before.unread, *_unread(task.get("response") or {}, label, before.label)),
        )
    return list(found.values())


def _unread(response: Any, label: str, before: str) -> Iterator[str]:
    yield from (f"a {one['type']}" for one in response.get("annotations", ()) if one.get("type", "box") != "box")
    if label and before:
        yield "another class"


def _answer(task: Any, where: str) -> tuple[str, list[Box]]:
    response = task.get("response") or {}
    drawn = [
        Box(
            str(need(one, "label", where)),
            *(float(need(one, name, where)) for name in ("left", "top", "width", "height")),
        )
        for one in response.get("annotations", ())
        if one.get("type", "box") == "box"
    ]
    return str(response.get("category", "")), drawn


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file; an item is a task for its boxes, and one for its class."""
    write_json([{"task_id": str(place), **task} for place, task in enumerate(_tasks(rows))], target)


def _tasks(rows: Sequence[Annotated]) -> Iterator[dict[str, Any]]:
    for row in rows:
        kind = "text" if row.text else "image"
        shared = {"status": "completed", "metadata": {"key": row.key}}
        params = {"attachment": row.text or row.key, "attachment_type": kind}
        if row.boxes or not row.label:
            drawn = [
                {
                    "type": "box",
                    "label": box.label,
                    "left": box.x,
                    "top": box.y,
                    "width": box.width,
                    "height": box.height,
                }
                for box in row.boxes
            ]
            yield {**shared, "type": BOXED, "params": params, "response": {"annotations": drawn}}
        if row.label:
            yield {**shared, "type": CLASSED, "params": params, "response": {"category": row.label}}
