"""Another wheel adds a backend by an entry point: it is installed, and trains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import LOCAL_PROGRAMS

PYPROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "seaway-others"
version = "1"
[tool.setuptools]
py-modules = ["others"]
[project.entry-points."seaway.backends"]
"{name}" = "others:OneProcess"
"""
TRAINER = '''
"""A trainer of somebody else's: one process, started by PyTorch's own torchrun."""

import subprocess
import sys

from seaway.errors import TrainingFailed
from seaway.training.fingerprint import fingerprint
from seaway.training.result import TrainResult


class OneProcess:
    def train(self, spec):
        spec.output.mkdir(parents=True)
        job = spec.output.with_name("spec.json")
        spec.write(job, fingerprint(spec)["run"])
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1", "-m"]
        if subprocess.run([*torchrun, spec.entrypoint, "--spec", str(job)]).returncode:
            raise TrainingFailed("it failed")
        return TrainResult.read(spec.output)
'''
CLI = "from seaway.cli import main; main()"
PROGRAM = """
import pathlib, sys
from seaway import platforms
from seaway.training import Trainer, TrainSpec

folder = pathlib.Path(sys.argv[1])
for name in ("train", "validation"):
    (folder / name).write_text(name)
spec = TrainSpec(
    folder / "train", folder / "validation", folder / "output", folder / "checkpoints", entrypoint="echo_trainer"
)
platforms.choose("trainer", "one-process")
print("workers:", platforms.current(Trainer).train(spec).metrics["workers"])
"""


def install(folder: Path, name: str) -> Path:
    """The folder that the wheel, built here, is installed into."""
    source, target = folder / "source", folder / "installed"
    source.mkdir()
    (source / "pyproject.toml").write_text(PYPROJECT.replace("{name}", name))
    (source / "others.py").write_text(TRAINER)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    return target


def run(folder: Path, installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(installed), str(LOCAL_PROGRAMS)])
    environment = {**os.environ, "PYTHONPATH": path, "SEAWAY_HOME": str(folder / "home")}
    return subprocess.run([sys.executable, *command], env=environment, text=True, capture_output=True, check=False)


def test_a_wheel_brings_a_trainer_and_it_trains(tmp_path: Path) -> None:
    installed = install(tmp_path, "trainer.local.one-process")
    done = run(tmp_path, installed, "-c", PROGRAM, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "workers: 1" in done.stdout
    assert "trainer\tone-process\tlocal" in run(tmp_path, installed, "-c", CLI, "backends").stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("one-process", "'one-process' of seaway-others is not PORT.PLACE.NAME"),
        ("trainer.moon.one-process", "places are local, kubernetes and anywhere"),
        ("rower.local.one-process", "There is no port 'rower'"),
        ("trainer.local.torchrun", "names itself torchrun, as Seaway's own Trainer backend"),
    ],
)
def test_a_wheel_that_names_its_backend_wrongly_is_told_by_name(name: str, told: str, tmp_path: Path) -> None:
    listed = run(tmp_path, install(tmp_path, name), "-c", CLI, "backends")
    assert listed.returncode == 2
    assert told in " ".join(listed.stderr.split())
