"""Tracked runs from MLflow into a folder, as another tracker keeps them."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seaway.platforms import mlflow_runs
from seaway.platforms.home import run_id
from seaway.reporting.markdown import escaped
from seaway.tracking import Mirrored, mirror


@dataclass(frozen=True)
class MirroredRun:
    """A run by MLflow's id and name, and what was written of it."""

    run: str
    name: str
    written: Mirrored


def mirror_all(runs: Sequence[str], to: str, into: Path, with_files: bool) -> list[MirroredRun]:
    """Write runs of MLflow's ids as the tracker `to` keeps them; nothing leaves this machine.

    Raises:
        InvalidSpec: there is no such tracker, its package is not installed, or the folder has one of them already.
        RegistryUnavailable: MLflow's store does not answer.
    """
    return [_mirrored(run, to, into, with_files) for run in runs]


def tracked(model: Path | None, run: str) -> list[str]:
    """MLflow's ids of what a step is asked to mirror: a model's training, else a run's by its name, else this run's.

    Raises:
        InvalidSpec: nothing of it was tracked.
        RegistryUnavailable: MLflow's store does not answer.
    """
    return mlflow_runs.runs_of_model(model) if model else mlflow_runs.runs_of(run or run_id())


def as_markdown(mirrored: Sequence[MirroredRun], folder: Path) -> str:
    """For each run its name, what is not in its mirror, and the command to be typed in the folder."""
    lead = "Fetch the folder `mirrors`, then type in it:"
    return "\n\n".join([lead, *(_section(one, folder) for one in mirrored)]) + "\n"


def _section(one: MirroredRun, folder: Path) -> str:
    left = [f"- not in it: {escaped(what)}" for what in one.written.left]
    blocks = [f"## {escaped(one.name)}", *(["\n".join(left)] if left else [])]
    return "\n\n".join([*blocks, f"    {one.written.command(folder)}"])


def _mirrored(run: str, to: str, into: Path, with_files: bool) -> MirroredRun:
    with tempfile.TemporaryDirectory() as folder:
        read = mlflow_runs.read(run, Path(folder, "files") if with_files else None)
        return MirroredRun(run, read.name, mirror(read, to, into))
