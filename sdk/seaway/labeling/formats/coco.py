"""COCO's object detection: `images`, `categories` and `annotations` with a `bbox` of x, y, width, height."""

from collections.abc import Sequence
from pathlib import Path

from seaway.labeling.formats.annotated import BOXES, SIZE, Annotated, Box, each, need
from seaway.labeling.formats.files import read_json, write_json

KEEPS = (SIZE, BOXES)
UNREAD = {"segmentation": "a segmentation", "keypoints": "key points"}


def read(source: Path) -> list[Annotated]:
    """One an image. Raises: DataUnreadable."""
    found, where = read_json(source), str(source)
    names = {
        need(one, "id", where): str(need(one, "name", where)) for one in each(need(found, "categories", where), where)
    }
    boxes: dict[object, list[Box]] = {need(one, "id", where): [] for one in each(need(found, "images", where), where)}
    unread: dict[object, list[str]] = {image: [] for image in boxes}
    for one in each(need(found, "annotations", where), where):
        label = need(names, [need(one, "category_id", where)], f"The categories of {where}")
        own = need(boxes, [need(one, "image_id", where)], f"The images of {where}")
        own.append(Box(label, *map(float, need(one, "bbox", where))))
        unread[one["image_id"]] += [told for name, told in UNREAD.items() if one.get(name)]
    return [
        Annotated(
            str(need(one, "file_name", where)), width=one.get("width", 0), height=one.get("height", 0),
            boxes=tuple(boxes[one["id"]]), unread=tuple(unread[one["id"]]),
        )
        for one in found["images"]
    ]  # fmt: skip


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file."""
    names = sorted({box.label for row in rows for box in row.boxes})
    places = {name: place for place, name in enumerate(names, 1)}
    images = [
        {"id": number, "file_name": row.key, "width": row.width, "height": row.height}
        for number, row in enumerate(rows, 1)
    ]
    boxes = [(number, box) for number, row in enumerate(rows, 1) for box in row.boxes]
    annotations = [
        {
            "id": place, "image_id": image, "category_id": places[box.label], "iscrowd": 0, "segmentation": [],
            "bbox": [box.x, box.y, box.width, box.height], "area": box.width * box.height,
        }
        for place, (image, box) in enumerate(boxes, 1)
    ]  # fmt: skip
    categories = [{"id": place, "name": name, "supercategory": ""} for name, place in places.items()]
    write_json({"images": images, "categories": categories, "annotations": annotations}, target)
