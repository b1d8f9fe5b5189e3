"""Where generated files are written: below the project, or below a folder that is named, so that a test can compare."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path

PROJECT = Path(__file__).parents[1]
log = logging.getLogger(__name__)


def target() -> Path:
    """The first word of the command line, or the project's own folder."""
    return Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT


def write(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Write texts by their paths in the project; returns the files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in files]


def run(files: Mapping[str, str]) -> None:
    """A generator's main program."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    log.info("%d files written under %s", len(write(files, target())), target())
