"""Tracked runs to other trackers, and from those that have ended."""

import tempfile
from pathlib import Path
from typing import Any

import typer

from seaway.cli.output import print_json
from seaway.errors import InvalidSpec
from seaway.kfp.local.records import records
from seaway.platforms import mlflow_runs
from seaway.tracking import mirror, neptune_runs


def mirror_run(run: str | None, to: str, into: Path, with_files: bool, as_json: bool) -> None:
    """Write what a run has tracked in another tracker's form.

    Raises:
        InvalidSpec: there is no such run or tracker, nothing was tracked, or a mirror is there already.
        RegistryUnavailable: MLflow's store does not answer.
    """
    told = [_mirrored(one, to, into, with_files) for one in mlflow_runs.runs_of(run or _latest())]
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


def _mirrored(run: str, to: str, into: Path, with_files: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        tracked = mlflow_runs.read(run, Path(folder, "files") if with_files else None)
        written = mirror(tracked, to, into)
    return {
        "run": run,
        "name": tracked.name,
        "path": str(written.path),
        "command": written.command,
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
