"""CVAT for images 1.1: one XML with an `image` a picture, in it a `box` a rectangle and a `tag` for the whole."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from seaway.errors import DataUnreadable
from seaway.labeling.formats.annotated import BOXES, LABEL, SIZE, Annotated, Box, classes
from seaway.labeling.formats.files import read_xml, write_xml

KEEPS = (LABEL, SIZE, BOXES)
CORNERS = ("xtl", "ytl", "xbr", "ybr")


def read(source: Path) -> list[Annotated]:
    """One an image; of several tags the first. Raises: DataUnreadable."""
    return [_read(one, source) for one in read_xml(source).iter("image")]


def _read(image: Element, source: Path) -> Annotated:
    boxes = [
        Box.of_corners(_of(one, "label", source), [_of(one, name, source) for name in CORNERS])
        for one in image.iter("box")
    ]
    label, others = classes([_of(one, "label", source) for one in image.iter("tag")])
    return Annotated(
        _of(image, "name", source),
        label,
        width=int(image.get("width", 0)),
        height=int(image.get("height", 0)),
        boxes=tuple(boxes),
        unread=(*others, *_unread(image)),
    )


def _unread(image: Element) -> Iterator[str]:
    for one in image:
        if one.tag not in ("box", "tag"):
            yield f"a {one.tag}"
        if float(one.get("rotation", 0)):
            yield "a rotation"
        yield from ["an attribute"] * len(one.findall("attribute"))


def _of(element: Element, name: str, source: Path) -> str:
    found = element.get(name)
    if found is None:
        raise DataUnreadable(f"{source}: a {element.tag} has no {name!r}; it is not of CVAT for images 1.1.")
    return found


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write one file."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    for number, row in enumerate(rows):
        named = {"id": str(number), "name": row.key, "width": str(row.width), "height": str(row.height)}
        image = SubElement(root, "image", named)
        for box in row.boxes:
            corners = {name: repr(value) for name, value in zip(CORNERS, box.corners, strict=True)}
            SubElement(
                image, "box", {"label": box.label, "source": "manual", "occluded": "0", **corners, "z_order": "0"}
            )
        if row.label:
            SubElement(image, "tag", {"label": row.label, "source": "manual"})
    write_xml(root, target)
