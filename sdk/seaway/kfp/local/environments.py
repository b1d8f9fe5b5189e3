"""Python environments of steps that bring packages, an image or an interpreter of their own.

A step never changes Seaway's environment: what it installs goes into one below the state folder, made by uv and known
by its content. Where the interpreter is Seaway's own version, Seaway's packages stand behind the step's.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.version import Version

from seaway import installer
from seaway.kfp.local import uses
from seaway.storage import read_json, write_json

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
IMAGE_PYTHON = re.compile(r"python[:-]?(\d)\.?(\d+)")  # python:3.12-slim, ubi9/python-311
ALONE = ("--no-deps",)  # as kfp's compiler installs it: to start a component it needs no other package
BUILT = {"build", "dist", "__pycache__"}
BEHIND = "seaway-behind.pth"  # after the step's own packages, and with the editable installs among ours


@dataclass(frozen=True)
class Environment:
    """What makes one environment another: the interpreter, and what is installed, one `pip install` after another."""

    python: str  # its path
    version: str
    packages: tuple[tuple[str, ...], ...]
    local: tuple[str, ...] = ()  # the content of what is installed from this machine's files

    @property
    def behind(self) -> str:
        """Seaway's own packages, where this interpreter can load them."""
        return sysconfig.get_path("purelib") if self.version == OWN else ""

    @property
    def name(self) -> str:
        """The hash of its content."""
        content = json.dumps({**asdict(self), "behind": self.behind}, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def environment(image: str, packages: tuple[tuple[str, ...], ...]) -> Environment:
    """The environment for a step of that image that installs these packages.

    What kfp's compiler adds to start a component, kfp itself, is Seaway's here, unless the step was compiled by a later
    one or Seaway's packages cannot be used.
    """
    version = _version(image)
    python = sys.executable if version == OWN else _interpreter(version)
    if not python:
        python, version = sys.executable, OWN
    own = tuple(words for words in packages if not _starts(words))
    if version != OWN and not any(re.match(r"kfp\b", word) for words in own for word in words):
        own = (*own, (f"kfp=={metadata.version('kfp')}", *ALONE))
    return Environment(python, version, own, tuple(_local(word for words in own for word in words)))


def _local(words: Iterable[str]) -> Iterator[str]:
    """The content of the files and folders that requirements name: `./mine`, `mine @ file:///mine`, `-r file`."""
    for word in words:
        path = Path(uses.FILE_URI.sub(r"\1", word).rpartition(" ")[2].partition("[")[0])
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and not _is_built(file.relative_to(path)))
            yield from (f"{file.relative_to(path)} {uses.version(str(file))}" for file in files)
        elif path.is_file():
            yield uses.version(str(path))
            yield from _local(path.read_text(encoding="utf-8").splitlines() if path.suffix == ".txt" else ())


def _is_built(file: Path) -> bool:
    """Whether a file comes from building the package that it is in, or from running it."""
    return any(part in BUILT or part.endswith(".egg-info") or part.startswith(".") for part in file.parts)


def _starts(words: tuple[str, ...]) -> bool:
    """Whether an installation is that of kfp by its compiler, of a version that Seaway's does as well."""
    packages = [word for word in words if word.startswith("kfp==")]
    if len(packages) != 1 or "--no-deps" not in words:
        return False
    return Version(packages[0].removeprefix("kfp==")) <= Version(metadata.version("kfp"))


def fallback(image: str) -> str:
    """Why a step does not run by the Python that its image names; empty where it does."""
    version = _version(image)
    if version == OWN or _interpreter(version):
        return ""
    return f"{image} has Python {version}, which is not on this machine; this step runs by Python {OWN}."


def _version(image: str) -> str:
    found = IMAGE_PYTHON.search(image)
    return f"{found[1]}.{found[2]}" if found else OWN


@cache
def _interpreter(version: str) -> str:
    """An installed Python of that version; empty where there is none."""
    words = [installer.uv(), "python", "find", "--no-python-downloads", "--no-project", "--system", version]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def prepared(wanted: Environment, folder: Path, step: str) -> Path:
    """The interpreter of the environment below `folder`, made unless it is there as it was made.

    Raises:
        InvalidSpec: a package cannot be installed; the message names the step.
    """
    place = folder / wanted.name
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f"{wanted.name}.lock"):
        if not _intact(place):
            shutil.rmtree(place, ignore_errors=True)
            _make(wanted, place, step)
    return place / "bin" / "python"


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Two runs that want the same environment make it once."""
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _make(wanted: Environment, place: Path, step: str) -> None:
    _run(["venv", "--quiet", "--no-project", "--python", wanted.python, str(place)], step)
    for words in wanted.packages:
        _run(["pip", "install", "--quiet", "--python", str(place / "bin" / "python"), *words], step)
    if wanted.behind:
        text = f"import site; site.addsitedir({wanted.behind!r})\n"
        (_site(place) / BEHIND).write_text(text, encoding="utf-8")
    write_json(place / "seal.json", _content(place))


def _run(words: list[str], step: str) -> None:
    installer.run(words, f"The environment of step {step!r}")


def _site(place: Path) -> Path:
    [found] = place.glob("lib/python*/site-packages")
    return found


def _content(place: Path) -> list[list[object]]:
    """What is installed: a step that installs or removes something changes it."""
    found = [file for file in _site(place).iterdir() if file.name != "__pycache__"]
    records = [record for file in found if (record := file / "RECORD").is_file()]
    return sorted([file.name, file.stat().st_mtime_ns if file in records else 0] for file in [*found, *records])


def _intact(place: Path) -> bool:
    """Whether an environment was made to its end, and no step has changed it since."""
    seal = place / "seal.json"
    return seal.is_file() and (place / "bin" / "python").exists() and read_json(seal) == _content(place)
