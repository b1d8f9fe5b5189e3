"""Label Studio's JSON: tasks with annotations, a result each for a choice and for each rectangle (in per cent)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable
from seaway.labeling.formats.annotated import ANNOTATOR, BOXES, LABEL, SIZE, TEXT, Annotated, Box, classes, each, need
from seaway.labeling.formats.files import read_json, write_json

KEEPS = (LABEL, ANNOTATOR, TEXT, SIZE, BOXES)
KEYS = ("seaway_key", "key", "image")  # in a task's data; else its number
PER_CENT = 100.0


def read(source: Path) -> list[Annotated]:
    """One an annotation. Raises: DataUnreadable."""
    return [row for task in each(read_json(source), str(source)) for row in _of_task(task, str(source))]


def _of_task(task: Any, where: str) -> Iterator[Annotated]:
    data = need(task, "data", where)
    key = next((str(data[name]) for name in KEYS if name in data), str(task.get("id", "")))
    for one in each(need(task, "annotations", where), where):
        if not one.get("was_cancelled"):
            yield _of_annotation(key, str(data.get("text", "")), one, where)


def _of_annotation(key: str, text: str, annotation: Any, where: str) -> Annotated:
    results = each(need(annotation, "result", where), where)
    labels = [
        choice for one in results if one.get("type") == "choices" for choice in need(one, ("value", "choices"), where)
    ]
    drawn = [one for one in results if one.get("type") == "rectanglelabels"]
    sized: Any = next((one for one in results if "original_width" in one), {})
    label, others = classes(labels)
    by = annotation.get("completed_by", "")
    who = by.get("email", by.get("id", "")) if isinstance(by, dict) else by
    return Annotated(
        key,
        label,
        str(who),
        text,
        int(sized.get("original_width", 0)),
        int(sized.get("original_height", 0)),
        tuple(_box(one, where) for one in drawn),
        (*others, *_unread(results)),
    )


def _unread(results: Sequence[Any]) -> Iterator[str]:
    for one in results:
        if one.get("type") not in ("choices", "rectanglelabels"):
            yield f"a {one.get('type')}"
        elif one["type"] == "rectanglelabels" and one["value"].get("rotation"):
            yield "a rotation"


def _box(one: Any, where: str) -> Box:
    value, wide, high = (
        need(one, "value", where),
        need(one, "original_width", where),
        need(one, "original_height", where),
    )
    x, y, width, height = (float(need(value, name, where)) for name in ("x", "y", "width", "height"))
    label = str(need(value, "rectanglelabels", where)[0])
    return Box(label, x * wide / PER_CENT, y * high / PER_CENT, width * wide / PER_CENT, height * high / PER_CENT)


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file. Raises: DataUnreadable: boxes of a picture whose size is not known."""
    write_json([_task(row, number) for number, row in enumerate(rows, 1)], target)


def _task(row: Annotated, number: int) -> dict[str, Any]:
    sized = {"original_width": row.width, "original_height": row.height}
    shared = {"from_name": "label", "to_name": "shown_0", **(sized if row.uses(SIZE) else {})}
    choice = [{**shared, "type": "choices", "value": {"choices": [row.label]}}] if row.label else []
    boxes = [{**shared, "from_name": "box", "type": "rectanglelabels", "value": _value(box, row)} for box in row.boxes]
    result = [*choice, *boxes] or [{**shared, "type": "choices", "value": {"choices": []}}]
    shown = {"image": row.key} if row.boxes else {}  # boxes are drawn on what a task shows
    data = {"seaway_key": row.key, **shown} | ({"text": row.text} if row.text else {})
    return {"id": number, "data": data, "annotations": [{"completed_by": {"email": row.annotator}, "result": result}]}


def _value(box: Box, row: Annotated) -> dict[str, Any]:
    if not row.width or not row.height:
        raise DataUnreadable(f"{row.key} has boxes and no size; Label Studio has them in per cent, so say the size.")
    across, down = PER_CENT / row.width, PER_CENT / row.height
    place = {"x": box.x * across, "y": box.y * down, "width": box.width * across, "height": box.height * down}
    return {**place, "rotation": 0, "rectanglelabels": [box.label]}
