"""Supervisely's folder: `meta.json` names classes and tags, `ds0/ann/` has a JSON file a picture."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from seaway.errors import DataUnreadable
from seaway.labeling.formats.annotated import BOXES, LABEL, SIZE, Annotated, Box, classes, each, need
from seaway.labeling.formats.files import read_json, write_json

KEEPS = (LABEL, SIZE, BOXES)
COLOUR = "#2460D8"
RECTANGLE = "rectangle"


def read(source: Path) -> list[Annotated]:
    """One a file, in the order of their names. Raises: DataUnreadable."""
    need(read_json(source / "meta.json"), "classes", str(source / "meta.json"))
    files = sorted(source.glob("*/ann/*.json"))
    if not files:
        raise DataUnreadable(f"{source} has no annotation below */ann; give the folder of a Supervisely project.")
    return [_read(file) for file in files]


def _read(file: Path) -> Annotated:
    found, where = read_json(file), str(file)
    size = need(found, "size", where)
    objects = each(need(found, "objects", where), where)
    drawn = [one for one in objects if one.get("geometryType") == RECTANGLE]
    label, others = classes([need(one, "name", where) for one in found.get("tags", ())])
    return Annotated(
        unquote(file.name.removesuffix(".json")),
        label,
        width=int(need(size, "width", where)),
        height=int(need(size, "height", where)),
        boxes=tuple(_box(one, where) for one in drawn),
        unread=(*others, *_unread(objects)),
    )


def _unread(objects: Sequence[Any]) -> Iterator[str]:
    for one in objects:
        if one.get("geometryType") != RECTANGLE:
            yield f"a {one.get('geometryType')}"
        yield from ["a tag of an object"] * len(one.get("tags", ()))


def _box(one: Any, where: str) -> Box:
    upper, lower = need(one, ("points", "exterior"), where)
    return Box.of_corners(str(need(one, "classTitle", where)), [*upper, *lower])


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write the folder; a sign that no file's name may have is written as an address has it."""
    classes = sorted({box.label for row in rows for box in row.boxes})
    tags = sorted({row.label for row in rows if row.label})
    meta = {
        "classes": [{"title": name, "shape": "rectangle", "color": COLOUR} for name in classes],
        "tags": [{"name": name, "value_type": "none", "color": COLOUR} for name in tags],
    }
    write_json(meta, target / "meta.json")
    for row in rows:
        write_json(_picture(row), target / "ds0" / "ann" / f"{quote(row.key, safe=' ')}.json")


def _picture(row: Annotated) -> dict[str, Any]:
    objects = [
        {"classTitle": box.label, "geometryType": RECTANGLE, "description": "", "tags": [],
         "points": {"exterior": [box.corners[:2], box.corners[2:]], "interior": []}}
        for box in row.boxes
    ]  # fmt: skip
    tags = [{"name": row.label, "value": None}] if row.label else []
    return {"description": "", "tags": tags, "size": {"height": row.height, "width": row.width}, "objects": objects}
