"""What a step was seen to read (`reads.py`), as the cache keeps it: each file and folder with its version.

Not among it are libraries, Seaway's own code and state, what the step wrote itself, the system, and hidden folders such
as `.git` and `~/.cache`, which libraries read for their own purposes.
"""

import json
import os
import site
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from seaway.kfp import catalog
from seaway.kfp.local import uses
from seaway.kfp.local.reads import LISTED, WRITTEN, file_of

SYSTEM = ("/proc", "/sys", "/dev", "/run", "/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/nix")
OURS = ("seaway", "seaway_components", "seaway_examples", "seaway_pipelines")
CLOCK_S = 0.01  # by which a file system's clock may be behind
FOLDER = "/"  # at the end of the name of what was listed


def seen(log: Path, begun: float, aside: Sequence[Path]) -> dict[str, str]:
    """What the step of that log has read, and its versions; nothing where it could not tell.

    Args:
        begun: When it began, seconds since 1970.
        aside: Folders that do not count.

    Raises:
        OSError: that changed while the step ran, by somebody else: it may have read either.
    """
    told = list(_told(file_of(log)))
    written = {path for how, path in told if how == WRITTEN}
    folders = {str(Path(path).parent) for path in written}
    own = (*map(str, aside), *_libraries())
    read = {(how, path) for how, path in told if how != WRITTEN and path not in written and not _aside(path, own)}
    for how, path in read:
        if _changed_s(path) >= begun - CLOCK_S and not (how == LISTED and path in folders):
            raise OSError(f"{path} changed while it was read")
    return {_name(how, path): _version(_name(how, path)) for how, path in sorted(read)}


def outdated(kept: Mapping[str, str]) -> str:
    """Which of these has another version now; empty where none has."""
    return next((name for name, version in kept.items() if _version(name) != version), "")


def _told(file: Path) -> Iterator[tuple[str, str]]:
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        how, path = json.loads(line)
        yield how, path


def _name(how: str, path: str) -> str:
    return path.rstrip(FOLDER) + FOLDER if how == LISTED else path


def _version(name: str) -> str:
    """A file's content; a folder's names; empty where there is none."""
    try:
        if name.endswith(FOLDER):
            return str(sorted(entry.name for entry in Path(name).iterdir()))
        return uses.version(name) if Path(name).is_file() else ""
    except OSError:
        return ""


def _changed_s(path: str) -> float:
    try:
        return Path(path).stat().st_ctime
    except OSError:
        return 0.0


def _aside(path: str, own: Sequence[str]) -> bool:
    """Whether what was read is nothing that a user edits; what lies where the step runs mostly is."""
    place = Path(path)
    if {".git", "__pycache__"} & set(place.parts) or any(place.is_relative_to(folder) for folder in own):
        return True
    if place.is_relative_to(Path.cwd()):
        return False
    home = os.path.expanduser("~")  # noqa: PTH111 - `Path.home` raises where there is none
    hidden = path.startswith(f"{home}/.")
    return hidden or any(place.is_relative_to(folder) for folder in SYSTEM)


@cache
def _libraries() -> tuple[str, ...]:
    places = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")} | {site.getusersitepackages()}
    return (*sorted(places), *(str(catalog.root(package)) for package in OURS))
