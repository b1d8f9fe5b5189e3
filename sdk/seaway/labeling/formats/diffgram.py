"""Diffgram's JSON export: `label_map`, and by a file's number its picture and its `instance_list`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seaway.labeling.formats.annotated import BOXES, SIZE, Annotated, Box, each, need
from seaway.labeling.formats.files import read_json, write_json

KEEPS = (SIZE, BOXES)
CORNERS = ("x_min", "y_min", "x_max", "y_max")


def read(source: Path) -> list[Annotated]:
    """One a file. Raises: DataUnreadable."""
    found, where = read_json(source), str(source)
    names = need(found, "label_map", where)
    return [_read(one, names, where) for number, one in found.items() if number.isdecimal()]


def _read(one: Any, names: Any, where: str) -> Annotated:
    image = need(one, "image", where)
    instances = each(need(one, "instance_list", where), where)
    drawn = [item for item in instances if item.get("type") == "box"]
    unread = tuple(f"a {item.get('type')}" for item in instances if item.get("type") != "box")
    boxes = [
        Box.of_corners(
            str(need(names, str(need(item, "label_file_id", where)), f"The label_map of {where}")),
            [need(item, name, where) for name in CORNERS],
        )
        for item in drawn
    ]
    size = int(image.get("width", 0)), int(image.get("height", 0))
    name = str(need(image, "original_filename", where))
    return Annotated(name, width=size[0], height=size[1], boxes=tuple(boxes), unread=unread)


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file."""
    names = {name: place for place, name in enumerate(sorted({box.label for row in rows for box in row.boxes}), 1)}
    files = {str(number): _file(row, names) for number, row in enumerate(rows, 1)}
    write_json({"label_map": {str(place): name for name, place in names.items()}, **files}, target)


def _file(row: Annotated, names: dict[str, int]) -> dict[str, Any]:
    image = {"original_filename": row.key, "width": row.width, "height": row.height}
    boxes = [
        {"type": "box", "label_file_id": names[box.label], **dict(zip(CORNERS, box.corners, strict=True))}
        for box in row.boxes
    ]
    return {"image": image, "instance_list": boxes}
