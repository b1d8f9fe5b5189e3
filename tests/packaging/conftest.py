"""The wheel, made of what images/Dockerfile copies, and environments that have it without this tree."""

import shutil
import sys
import sysconfig
from pathlib import Path

import pytest
from places import PROJECT
from wheel_environments import COMPILED, Environment, copied, environment, uv


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of nothing but what the stage `project` of images/Dockerfile copies, so that images hold what users get."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in copied():
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, source / name, ignore=COMPILED)
        else:
            shutil.copy(PROJECT / name, source / name)
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", built, source)
    [wheel] = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel beside every dependency: those of this environment, less its link to the source tree."""
    with environment(tmp_path_factory.mktemp("installed")) as made:
        [packages] = made.folder.glob("lib/python*/site-packages")
        # A .pth file in a folder that a .pth file names is not read, and such a file is the link to the source.
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
        uv("pip", "install", "--no-deps", "--python", made.folder, wheel)
    return made


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What `pip install seaway` gives: the wheel without any extra, in the versions of the lock file."""
    with environment(tmp_path_factory.mktemp("bare")) as made:
        uv("pip", "install", "--constraint", PROJECT / "requirements.lock", "--python", made.folder, wheel)
    return made
