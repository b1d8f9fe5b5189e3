"""PASCAL VOC: a folder with an XML file a picture."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from seaway.errors import DataUnreadable
from seaway.labeling.formats.annotated import BOXES, SIZE, Annotated, Box
from seaway.labeling.formats.files import read_xml, write_xml

KEEPS = (SIZE, BOXES)
UNREAD = ("part", "polygon")
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read(source: Path) -> list[Annotated]:
    """One a file, in the order of their names. Raises: DataUnreadable."""
    files = sorted(source.glob("*.xml"))
    if not files:
        raise DataUnreadable(f"{source} holds no XML file; PASCAL VOC has one a picture.")
    return [_read(file) for file in files]


def _read(file: Path) -> Annotated:
    root = read_xml(file)
    size = [int(_text(root, f"size/{name}", file, "0")) for name in ("width", "height")]
    boxes = [
        Box.of_corners(_text(one, "name", file), [_text(one, f"bndbox/{name}", file) for name in CORNERS])
        for one in root.iter("object")
    ]
    unread = [f"a {one.tag}" for thing in root.iter("object") for one in thing if one.tag in UNREAD]
    name = _text(root, "filename", file)
    return Annotated(name, width=size[0], height=size[1], boxes=tuple(boxes), unread=tuple(unread))


def _text(element: Element, path: str, file: Path, otherwise: str | None = None) -> str:
    found = element.findtext(path, otherwise)
    if found is None:
        raise DataUnreadable(f"{file} has no {path}; it is not of PASCAL VOC, or cut off.")
    return found


def write(rows: Sequence[Annotated], target: Path) -> None:
    """Write a file a picture, numbered, since a picture's name may be a path."""
    for number, row in enumerate(rows):
        root = Element("annotation")
        SubElement(root, "filename").text = row.key
        size = SubElement(root, "size")
        for name, value in (("width", row.width), ("height", row.height), ("depth", 3)):
            SubElement(size, name).text = str(value)
        for box in row.boxes:
            one = SubElement(root, "object")
            SubElement(one, "name").text = box.label
            corners = SubElement(one, "bndbox")
            for name, corner in zip(CORNERS, box.corners, strict=True):
                SubElement(corners, name).text = f"{corner:g}" if corner == round(corner) else repr(corner)
        write_xml(root, target / f"{number:06}.xml")
