"""Notebooks of the folder that the page was started in, to be read by their address; nothing in them is run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from seaway.dev.files import FRAMED
from seaway.dev.pages import page
from seaway.errors import DataUnreadable

SUFFIX = ".ipynb"
MOST = 500  # that are listed
LEFT_OUT = {"__pycache__", "node_modules", "site-packages"}  # besides hidden folders


@dataclass(frozen=True)
class Listed:
    """A notebook by its path in the folder."""

    path: str
    size: int
    changed: float


def notebook_list(request: Request) -> Response:
    """All of them, by path."""
    return page(request, "notebooks.html", title="Notebooks", folder=str(Path.cwd()), found=list(notebooks(Path.cwd())))


def notebook_page(request: Request) -> Response:
    """One, in a frame of its own."""
    path = _file(request).relative_to(Path.cwd().resolve()).as_posix()
    return page(request, "notebook.html", title=path, notebook=path)


def notebook_frame(request: Request) -> Response:
    """What is in the frame."""
    return rendered(_file(request))


def rendered(file: Path) -> Response:
    """A notebook as a page whose scripts reach neither the network nor the page around it.

    Raises:
        HTTPException: the file is no notebook.
    """
    from seaway.notebooks import Document, html

    try:
        return HTMLResponse(html(Document.read(str(file)), file.name), headers=FRAMED)
    except DataUnreadable as error:
        raise HTTPException(404, str(error)) from error


def notebooks(folder: Path) -> Iterator[Listed]:
    """Those below a folder, hidden folders and installed packages left out."""
    found = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in LEFT_OUT)
        for file in (Path(place, name) for name in sorted(names) if name.endswith(SUFFIX)):
            if found < MOST and file.is_file() and file.resolve().is_relative_to(folder.resolve()):
                found += 1
                yield Listed(file.relative_to(folder).as_posix(), file.stat().st_size, file.stat().st_mtime)


def _file(request: Request) -> Path:
    """The notebook of an address. Raises: HTTPException: it is not one of this folder's."""
    folder, path = Path.cwd().resolve(), str(request.path_params["path"])
    hidden = any(part.startswith(".") for part in Path(path).parts)
    try:
        found = (folder / path).resolve()
        if not hidden and found.suffix == SUFFIX and found.is_relative_to(folder) and found.is_file():
            return found
    except (OSError, ValueError, RuntimeError):
        pass
    raise HTTPException(404, f"{folder} has no notebook {path}.")
