"""Labels of other tools as rows, and rows as their files."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.labeling.formats import (
    appen,
    coco,
    cvat,
    diffgram,
    label_studio,
    labelbox,
    prodigy,
    scale,
    supervisely,
    voc,
)
from seaway.labeling.formats.annotated import ANNOTATOR, FIELDS, Annotated


@dataclass(frozen=True)
class Format:
    """How one tool's files are read and written; `keeps` are the fields that it has a place for."""

    read: Callable[[Path], list[Annotated]]
    write: Callable[[Sequence[Annotated], Path], None]
    keeps: Sequence[str]

    @classmethod
    def of(cls, module: ModuleType) -> "Format":
        """That of a neighbour of this module."""
        return cls(module.read, module.write, module.KEEPS)


FORMATS = {
    "appen": Format.of(appen),
    "coco": Format.of(coco),
    "cvat": Format.of(cvat),
    "diffgram": Format.of(diffgram),
    "label_studio": Format.of(label_studio),
    "labelbox": Format.of(labelbox),
    "prodigy": Format.of(prodigy),
    "scale": Format.of(scale),
    "supervisely": Format.of(supervisely),
    "voc": Format.of(voc),
}


def named(name: str) -> Format:
    """Raises: InvalidSpec: there is no such format."""
    if name not in FORMATS:
        raise InvalidSpec(f"Labels are read and written as one of {', '.join(FORMATS)}, not {name!r}.")
    return FORMATS[name]


def import_labels(source: Path, name: str) -> list[Annotated]:
    """What a tool's file or folder says.

    Raises:
        InvalidSpec: there is no such format.
        DataUnreadable: it is not of the format, broken, or without an item.
    """
    try:
        rows = named(name).read(source)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, InvalidSpec):
            raise
        raise DataUnreadable(f"{source} is not of the format {name}: {error}.") from error
    if not rows:
        raise DataUnreadable(f"{source} holds no label of the format {name}.")
    return rows


def export_labels(rows: Sequence[Annotated], name: str, target: Path) -> list[str]:
    """Write a tool's file, or folder; what it has no place for, a sentence each.

    Raises:
        InvalidSpec: there is no such format.
        DataUnreadable: there is nothing to write, or boxes of a picture whose size the format needs.
    """
    if not rows:
        raise DataUnreadable("There is no label to write.")
    named(name).write(_written(rows, name), target)
    return lost(rows, name)


def _written(rows: Sequence[Annotated], name: str) -> list[Annotated]:
    """Those that the format has a place for: one an item where it does not say whose an answer is."""
    if ANNOTATOR in named(name).keeps:
        return list(rows)
    first: dict[str, Annotated] = {}
    for row in rows:
        first.setdefault(row.key, row)
    return list(first.values())


def unread(rows: Sequence[Annotated], name: str) -> list[str]:
    """What imported labels say beyond what is read, a sentence a kind."""
    counts = Counter(told for row in rows for told in set(row.unread))
    return [f"{name}: {count} of {len(rows)} items have {told}, which is not read." for told, count in counts.items()]


def lost(rows: Sequence[Annotated], name: str) -> list[str]:
    """What the format has no place for, a sentence a field."""
    counts = {field: sum(row.uses(field) for row in rows) for field in FIELDS if field not in named(name).keeps}
    fields = [
        f"{name} has no place for {field}: that of {count} of {len(rows)} items is lost."
        for field, count in counts.items()
        if count
    ]
    more = len(rows) - len(_written(rows, name))
    return [*fields, f"{name} has one answer an item: {more} of {len(rows)} are lost."] if more else fields
