"""The file or folder of an artifact, as far as it may be shown: only what lies in the state folder, links resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seaway.platforms.home import home

MOST_FILES = 500  # of a folder that are listed
FRAMED = {  # a page of a step: its scripts may run, but reach neither the network nor this page
    "Content-Security-Policy": "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'self'",
}


class NotShown(Exception):
    """Why an artifact's content is not shown, for its page."""


@dataclass(frozen=True)
class Entry:
    """A file in an artifact's folder, by its path in it."""

    path: str
    size: int


def place_of(artifact: Mapping[str, Any]) -> Path:
    """Where an artifact is on this machine.

    Raises:
        NotShown: it is in a store, is gone, or lies outside the state folder.
    """
    uri = str(artifact["uri"])
    if urlsplit(uri).scheme not in ("", "file"):
        raise NotShown(f"It is in a store, at {uri}; what is there is not read from here.")
    return _inside(Path(uri.removeprefix("file://")), home())


def file_of(artifact: Mapping[str, Any], path: str) -> Path:
    """A file of an artifact: itself where `path` is empty, else one in its folder.

    Raises:
        NotShown: as `place_of`, or it is no file of this artifact.
    """
    place = place_of(artifact)
    found = _inside(place / path, place) if path else place
    if not found.is_file():
        raise NotShown("It is no file.")
    return found


def listing(folder: Path) -> list[Entry]:
    """The files below a folder, by path; links that lead out of it are left out."""
    root, found = folder.resolve(), list[Entry]()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.resolve().is_relative_to(root):
            found.append(Entry(file.relative_to(folder).as_posix(), file.stat().st_size))
        if len(found) == MOST_FILES:
            break
    return found


def _inside(path: Path, root: Path) -> Path:
    try:
        found = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise NotShown(f"{path} is not there any more.") from error
    if not found.is_relative_to(root.resolve()):
        raise NotShown(f"{path} lies outside {root}, from which alone files are shown.")
    return found
