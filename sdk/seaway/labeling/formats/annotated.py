"""What all formats speak of: a text or a picture, the class that somebody gave it, and boxes in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.errors import DataUnreadable

FIELDS = (LABEL, ANNOTATOR, TEXT, SIZE, BOXES) = ("label", "annotator", "text", "size", "boxes")


@dataclass(frozen=True)
class Box:
    """A rectangle with a class; pixels from the upper left corner of the picture."""

    label: str
    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of_corners(cls, label: str, corners: Iterable[Any]) -> "Box":
        """Of left, top, right, bottom, in any order of the two corners."""
        left, top, right, bottom = map(float, corners)
        return cls(label, min(left, right), min(top, bottom), abs(right - left), abs(bottom - top))

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        return self.x, self.y, self.x + self.width, self.y + self.height


@dataclass(frozen=True)
class Annotated:
    """One annotator's answer to one item.

    Attributes:
        key: By which the item is known: a picture's file, or a row's key.
        label: Class of the whole; empty for none.
        annotator: Who says so; empty where nobody is named.
        text: The item itself, where it is a text.
        width, height: Of the picture, in pixels; 0 where it is not known.
        boxes: In the picture.
        unread: What a file says of it beyond all this, a word each: a polygon, a second class.
    """

    key: str
    label: str = ""
    annotator: str = ""
    text: str = ""
    width: int = 0
    height: int = 0
    boxes: tuple[Box, ...] = ()
    unread: tuple[str, ...] = ()

    def uses(self, field: str) -> bool:
        """Whether it says anything in that field of `FIELDS`."""
        return bool(self.width or self.height) if field == SIZE else bool(getattr(self, field))


def need(value: Any, names: str | Sequence[str], where: str) -> Any:
    """What is below these names of nested JSON objects. Raises: DataUnreadable: it is not there."""
    for name in [names] if isinstance(names, str) else names:
        if not isinstance(value, Mapping) or name not in value:
            raise DataUnreadable(f"{where} has no {name!r}; it is not of this format, or cut off.")
        value = value[name]
    return value


def classes(found: Sequence[Any]) -> tuple[str, tuple[str, ...]]:
    """The first of several classes of a whole, which is taken, and a word for each of the others."""
    return (str(found[0]) if found else ""), ("another class",) * (len(found) - 1)


def each(value: Any, where: str) -> list[Any]:
    """A JSON list. Raises: DataUnreadable: it is none."""
    if not isinstance(value, list):
        raise DataUnreadable(f"{where} is no list; it is not of this format, or cut off.")
    return value
