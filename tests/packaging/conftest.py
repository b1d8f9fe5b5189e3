"""The wheel, made of what images/Dockerfile copies, and environments that have it without this tree."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))
COMPILED = shutil.ignore_patterns("__pycache__", "*.egg-info")


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it, used from a folder that is nowhere near the source."""

    folder: Path
    work: Path

    def run(self, command: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command of this environment. Nothing of the tests' own environment names a place to import from."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SEAWAY_"))}
        return subprocess.run(
            [self.folder / "bin" / command, *words],
            cwd=self.work,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )

    def python(self, program: str) -> str:
        """What a program prints."""
        done = self.run("python", "-W", "ignore", "-c", program)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of nothing but what the stage `project` of images/Dockerfile copies, so that images hold what users get."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in _copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=COMPILED)
        else:
            shutil.copy(ROOT / name, source / name)
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", built, source)
    [wheel] = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel beside every dependency: those of this environment, less its link to the source tree."""
    with _environment(tmp_path_factory.mktemp("installed")) as made:
        [packages] = made.folder.glob("lib/python*/site-packages")
        # A .pth file in a folder that a .pth file names is not read, and such a file is the link to the source.
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
        uv("pip", "install", "--no-deps", "--python", made.folder, wheel)
    return made


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What `pip install seaway` gives: the wheel without any extra, in the versions of the lock file."""
    with _environment(tmp_path_factory.mktemp("bare")) as made:
        uv("pip", "install", "--constraint", ROOT / "requirements.lock", "--python", made.folder, wheel)
    return made


@contextmanager
def _environment(folder: Path) -> Iterator[Environment]:
    """An empty one of this Python; once it is filled, nothing in it may lead to this tree."""
    made = Environment(folder / "environment", folder / "elsewhere")
    made.work.mkdir()
    uv("venv", "--python", sys.executable, made.folder)
    yield made
    found = made.python(
        "import sys, importlib.util as find\n"
        "for name in ('seaway', 'seaway_components', 'seaway_pipelines', 'seaway_examples', 'tools', 'tests'):\n"
        "    print(name, getattr(find.find_spec(name), 'origin', None))"
    )
    origins = dict(line.split(" ", 1) for line in found.splitlines())
    assert {origins.pop("tools"), origins.pop("tests")} == {"None"}
    assert all(Path(origin).is_relative_to(made.folder) for origin in origins.values()), origins


def uv(*words: str | Path) -> str:
    """What it prints."""
    done = subprocess.run([UV, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _copied() -> list[str]:
    """The files and folders that the stage `project` copies."""
    stage = re.findall(r"^FROM \w+ AS project\n(.*?)^FROM", (ROOT / "images/Dockerfile").read_text(), re.M | re.S)[0]
    return [source for line in re.findall(r"^COPY (.*) \S+$", stage, re.M) for source in line.split()]
