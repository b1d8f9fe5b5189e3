"""Tracked runs to other trackers, and from those that have ended."""

import tempfile
from pathlib import Path
from typing import Any

import typer

from seaway.cli.output import print_json
from seaway.errors import InvalidSpec
from seaway.kfp.local.records import records
from seaway.platforms import mirrored_runs, mlflow_runs
from seaway.tracking import neptune_runs


def mirror_run(run: str | None, to: str, into: Path, with_files: bool, as_json: bool) -> None:
    """Write what a run has tracked in another tracker's form.

    Raises:
        InvalidSpec: there is no such run or tracker, nothing was tracked, or a mirror is there already.
        RegistryUnavailable: MLflow's store does not answer.
    """
    runs = mlflow_runs.runs_of(run or _latest())
    told = [_told(one) for one in mirrored_runs.mirror_all(runs, to, into, with_files)]
    if as_json:
        print_json(told)
        return
    for one in told:
        typer.echo(f"{one['name']}: {one['path']}")
        for what in one["left"]:
            typer.echo(f"  not in it: {what}")
        typer.echo(f"  {one['command']}")


def _latest() -> str:
    if not (found := records()):
        raise InvalidSpec("No runs yet; `seaway run PIPELINE` makes one.")
    return str(found[0]["run"])


def _told(one: mirrored_runs.MirroredRun) -> dict[str, Any]:
    written = one.written
    return {
        "run": one.run,
        "name": one.name,
        "path": str(written.path),
        "command": written.command(),
        "left": list(written.left),
    }


def import_runs(data: Path, files: Path, as_json: bool) -> None:
    """Record the runs of an export of Neptune's in MLflow.

    Raises:
        DataUnreadable, InvalidSpec: the export is not whole, or not Neptune's.
        RegistryUnavailable: MLflow's store does not answer.
    """
    with tempfile.TemporaryDirectory() as kept:
        told = [
            {"project": one.experiment, "name": one.name, "run": mlflow_runs.record(one)}
            for one in neptune_runs(data, files, Path(kept))
        ]
    if as_json:
        print_json(told)
        return
    for one in told:
        typer.echo(f"{one['project']} {one['name']}: {one['run'] or 'was there already'}")
