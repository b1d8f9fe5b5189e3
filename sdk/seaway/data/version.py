"""The version of a source's data: what tells, without reading them, whether they are those that were read before.

Run as `python -m seaway.data.version SOURCE OPTIONS` it prints the version, for a run that would reuse what was read.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from seaway.storage import load_object

SOURCE = "read_from"  # the metadata of an artifact that says which source it was read from, and in which version
ATTRIBUTE = "seaway_version"
Source = TypeVar("Source", bound=Callable[..., Any])


def versioned(version: Callable[..., str]) -> Callable[[Source], Source]:
    """Say of a source how its data's version is found: `version` takes the source's options and gives a text.

    A snapshot's number, an ETag, the hash or the size and time of a file (`file_version`). A source that does not say
    it is read in every run.
    """

    def decorate(source: Source) -> Source:
        setattr(source, ATTRIBUTE, version)
        return source

    return decorate


def file_version(*paths: Path | str) -> str:
    """Size and time of files, and of all that lies in folders."""
    files = [file for path in map(Path, paths) for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return json.dumps([[str(file), (stat := file.stat()).st_size, stat.st_mtime_ns] for file in files])


def version_of(source: str, options: Mapping[str, object]) -> str:
    """The version of what a source would read now; empty where it does not say.

    Raises:
        InvalidSpec: there is no such source.
    """
    version = getattr(load_object(source), ATTRIBUTE, None)
    return str(version(**options)) if version else ""


if __name__ == "__main__":
    sys.stdout.write(version_of(sys.argv[1], json.loads(sys.argv[2])))
