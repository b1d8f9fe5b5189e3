"""Packages of a server that cannot be installed beside Seaway, in a folder of their own that stands before Seaway's."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from seaway import installer

VARIABLE, OF_IMAGE = "SEAWAY_SERVER_PACKAGES", "/opt/servers"  # where an image has them: a folder a server, as its room
ALONE = ("--no-deps", "--no-compile")  # the rest is Seaway's, and what is listed is whole


def environment(requirements: Path, kept: Path) -> dict[str, str]:
    """The variables by which a process imports what `requirements` lists before what is installed beside Seaway.

    An image brings the packages; elsewhere they are installed below `kept`, once for the same list.

    Raises:
        InvalidSpec: they cannot be installed; the message says why.
    """
    server = requirements.parent.name
    brought = Path(os.environ.get(VARIABLE, OF_IMAGE)) / server
    folder = brought if brought.is_dir() else _installed(requirements, kept / server)
    behind = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{behind}" if behind else str(folder)}


def _installed(requirements: Path, kept: Path) -> Path:
    folder = kept / hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    if not folder.is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=kept))
        try:
            words = ("pip", "install", "--quiet", *ALONE, "--target", str(draft), "--requirement", str(requirements))
            installer.run(words, f"The packages of the model server {kept.name}")
            _keep(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


def _keep(draft: Path, folder: Path) -> None:
    """Move the draft in place, unless another process was quicker: its packages are the same."""
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
