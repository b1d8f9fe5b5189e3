"""Labelbox' export v2: a JSON line a data row; boxes are objects, the class is a radio question."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seaway.labeling.formats.annotated import ANNOTATOR, BOXES, LABEL, SIZE, TEXT, Annotated, Box, classes, each, need
from seaway.labeling.formats.files import read_lines, write_lines

KEEPS = (LABEL, ANNOTATOR, TEXT, SIZE, BOXES)
PROJECT = "seaway"


def read(source: Path) -> list[Annotated]:
    """One a label. Raises: DataUnreadable."""
    return [row for where, one in read_lines(source) for row in _of_row(one, where)]


def _of_row(row: Any, where: str) -> Iterator[Annotated]:
    data = need(row, "data_row", where)
    key, media = str(data.get("external_id") or need(data, "id", where)), row.get("media_attributes", {})
    text = str(data.get("row_data", "")) if media.get("asset_type", "text") == "text" else ""
    for project in need(row, "projects", where).values():
        for one in each(need(project, "labels", where), where):
            said = need(one, "annotations", where)
            boxes = [_box(item, where) for item in said.get("objects", ()) if "bounding_box" in item]
            asked = said.get("classifications", ())
            label, others = classes(
                [need(item, ("radio_answer", "name"), where) for item in asked if "radio_answer" in item]
            )
            who = one.get("label_details", {}).get("created_by", "")
            size = int(media.get("width", 0)), int(media.get("height", 0))
            yield Annotated(key, label, str(who), text, *size, tuple(boxes), (*others, *_unread(said)))


def _unread(said: Any) -> Iterator[str]:
    for one in said.get("objects", ()):
        if "bounding_box" not in one:
            yield f"a {one.get('annotation_kind', 'shape')}"
        yield from ["a class of a box"] * len(one.get("classifications", ()))
    yield from ("an answer that is no radio's" for one in said.get("classifications", ()) if "radio_answer" not in one)
    yield from ["a relationship"] * len(said.get("relationships", ()))


def _box(item: Any, where: str) -> Box:
    drawn = need(item, "bounding_box", where)
    return Box(
        str(need(item, "name", where)),
        *(float(need(drawn, name, where)) for name in ("left", "top", "width", "height")),
    )


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file."""
    write_lines((_row(row) for row in rows), target)


def _row(row: Annotated) -> dict[str, Any]:
    objects = [
        {"name": box.label, "annotation_kind": "ImageBoundingBox",
         "bounding_box": {"left": box.x, "top": box.y, "width": box.width, "height": box.height}}
        for box in row.boxes
    ]  # fmt: skip
    radio = {"name": "label", "radio_answer": {"name": row.label, "value": row.label}}
    label = {
        "label_details": {"created_by": row.annotator},
        "annotations": {"objects": objects, "classifications": [radio] if row.label else [], "relationships": []},
    }
    size = {"width": row.width, "height": row.height} if row.uses(SIZE) else {}
    media = {"asset_type": "text" if row.text else "image", **size}
    data = {"id": row.key, "external_id": row.key, "row_data": row.text}
    return {"data_row": data, "media_attributes": media, "projects": {PROJECT: {"name": PROJECT, "labels": [label]}}}
