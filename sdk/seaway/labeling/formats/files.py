"""JSON, JSON lines and XML of other tools, read with the place of what is wrong."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring, indent, tostring

from seaway.errors import DataUnreadable
from seaway.storage import atomic_path


def text(source: Path) -> str:
    """A file in UTF-8, with or without a mark. Raises: DataUnreadable."""
    try:
        return source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataUnreadable(f"{source} cannot be read as UTF-8: {error}.") from error


def read_json(source: Path) -> Any:
    """Raises: DataUnreadable."""
    try:
        return json.loads(text(source))
    except ValueError as error:
        raise DataUnreadable(f"{source} is no JSON ({error}).") from error


def read_lines(source: Path) -> Iterator[tuple[str, Any]]:
    """The place and the value of each line. Raises: DataUnreadable."""
    for number, line in enumerate(text(source).split("\n"), 1):
        if line.strip():
            try:
                yield f"{source}:{number}", json.loads(line)
            except ValueError as error:
                raise DataUnreadable(f"{source}:{number} is no JSON ({error}).") from error


def read_xml(source: Path) -> Element:
    """The root; nothing outside the file is looked at, and no entity is defined in it. Raises: DataUnreadable."""
    content = text(source)
    if "<!DOCTYPE" in content or "<!ENTITY" in content:
        raise DataUnreadable(f"{source} defines a document type; labels need none, so it is not read.")
    try:
        return fromstring(content)  # noqa: S314 - no document type, so no entity that could grow
    except ParseError as error:
        raise DataUnreadable(f"{source} is no XML ({error}).") from error


def write_json(value: Any, target: Path) -> None:
    """One document, atomically."""
    write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", target)


def write_lines(values: Iterable[Any], target: Path) -> None:
    """A line a value, atomically."""
    write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), target)


def write_xml(root: Element, target: Path) -> None:
    """One document, atomically."""
    indent(root)
    write_text(tostring(root, encoding="unicode", xml_declaration=False) + "\n", target)


def write_text(content: str, target: Path) -> None:
    """In UTF-8, atomically; lines end as they are given."""
    with atomic_path(target) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        file.write(content)
