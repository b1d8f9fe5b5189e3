"""One environment grows: a run installs what it needs, tests add the rest, and neither takes away what is there."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from places import PROJECT

RUN, ALL = "requirements-run.lock", "requirements.lock"
MADE_FROM = (RUN, ALL, "pyproject.toml", "setup.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Where the files that an environment is made from are older than it; which parts it has is the test's to say."""
    for name in ("Makefile", *MADE_FROM):
        shutil.copy(PROJECT / name, tmp_path)
    for name in MADE_FROM:
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "uv").touch()
    return tmp_path


def has(project: Path, *stamps: str) -> None:
    for stamp in stamps:
        (project / ".venv" / stamp).touch()


def installed_by(project: Path, target: str) -> list[str]:
    """The lock files that making the target would bring the environment to."""
    command = ["make", "--dry-run", target]
    told = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    return re.findall(r"pip sync .*?(\S+\.lock)", told)


def test_a_run_in_a_fresh_clone_installs_what_a_run_needs(project: Path) -> None:
    assert installed_by(project, "run") == [RUN]


def test_tests_after_a_run_add_the_rest(project: Path) -> None:
    has(project, ".installed-run")
    assert installed_by(project, "run") == []
    assert installed_by(project, "check") == [ALL]


def test_a_run_after_tests_takes_nothing_away(project: Path) -> None:
    has(project, ".installed")
    assert installed_by(project, "run") == [ALL]
    has(project, ".installed-run")
    assert installed_by(project, "run") == installed_by(project, "check") == []
    (project / RUN).touch()
    assert installed_by(project, "run") == [ALL]
