"""Packages of a server that cannot stand beside Seaway's: before them in its process, and nowhere else."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from seaway import registry
from seaway.errors import InvalidSpec
from seaway.model_server import own_packages

EXPORTED = {"aws_lambda"}  # rooms that are no backends of the port: an image is written, and others run it


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A server's list: psutil of another version than Seaway's, as a wheel of one module."""
    file, name = tmp_path / "psutil-5.0-py3-none-any.whl", "psutil-5.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("psutil.py", "__version__ = '5.0'\n")
        archive.writestr(f"{name}/METADATA", "Metadata-Version: 2.1\nName: psutil\nVersion: 5.0\n")
        archive.writestr(f"{name}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}/RECORD", f"psutil.py,,\n{name}/METADATA,,\n{name}/WHEEL,,\n{name}/RECORD,,\n")
    listed = tmp_path / "stub" / "requirements.txt"
    listed.parent.mkdir()
    listed.write_text(f"psutil @ {file.as_uri()}\n")
    return listed


def imported(environment: dict[str, str]) -> str:
    """Which psutil a process of that environment has."""
    command = [sys.executable, "-c", "import psutil, seaway; print(psutil.__version__)"]
    run = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_they_stand_before_seaways_and_are_installed_once(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    environment = own_packages.environment(requirements, tmp_path / "kept")
    assert imported(environment) == "5.0"
    assert imported({}) != "5.0"
    made = (Path(environment["PYTHONPATH"]) / "psutil.py").stat().st_mtime_ns
    monkeypatch.setenv("PYTHONPATH", "/behind")
    assert own_packages.environment(requirements, tmp_path / "kept")["PYTHONPATH"].endswith(f"{os.pathsep}/behind")
    assert (Path(environment["PYTHONPATH"]) / "psutil.py").stat().st_mtime_ns == made
    assert [folder.name for folder in (tmp_path / "kept" / "stub").iterdir()] == [Path(environment["PYTHONPATH"]).name]


def test_those_that_an_image_brings_are_taken(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "brought" / "stub").mkdir(parents=True)
    monkeypatch.setenv(own_packages.VARIABLE, str(tmp_path / "brought"))
    environment = own_packages.environment(requirements, tmp_path / "kept")
    assert environment == {"PYTHONPATH": str(tmp_path / "brought" / "stub")}
    assert not (tmp_path / "kept").exists()


def test_those_that_cannot_be_had_are_told_and_leave_nothing(tmp_path: Path, requirements: Path) -> None:
    requirements.write_text("psutil @ file:///no/such.whl\n")
    with pytest.raises(InvalidSpec, match=r"packages of the model server stub cannot be made: .*such\.whl"):
        own_packages.environment(requirements, tmp_path / "kept")
    assert list((tmp_path / "kept" / "stub").iterdir()) == []


def test_every_list_names_each_package_in_one_version() -> None:
    folder = Path(own_packages.__file__).parent
    lists = list(folder.glob("*/requirements.txt"))
    assert {file.parent.name for file in lists} <= {*registry.backends("ModelServer"), *EXPORTED}
    for file in lists:
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert all(line.count("==") == 1 for line in lines)
        assert len({line.partition("==")[0] for line in lines}) == len(lines) > 0
