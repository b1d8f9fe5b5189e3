"""`seaway doctor`: what a run here would fail at, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path

import typer

from seaway.cli.findings import end, tell
from seaway.cli.output import print_json
from seaway.kfp.local.folder_checkup import folder_checkup
from seaway.platforms.findings import Finding, State
from seaway.platforms.home import home
from seaway.platforms.local.machine import machine


def examine(cluster: bool, as_json: bool) -> None:
    """Print what is found; ends with 1 where something is bad."""
    tell([*machine(home()), *folder_checkup(home()), *(_cluster() if cluster else ())], as_json)


def _cluster() -> Iterator[Finding]:
    from seaway.platforms.kubernetes.client.connection import connect
    from seaway.platforms.kubernetes.install.checkup import checkup

    yield from checkup(connect())


def examine_training(run: str, step: str, page: Path | None, as_json: bool) -> None:
    """Print what is wrong with a training of a run; ends with 1 where something is.

    Raises:
        InvalidSpec: there is no such run or step, or several, or nobody says what its entrypoint trains.
        DataUnreadable: its rows are gone.
    """
    from seaway.cli.trainings import training_of
    from seaway.diagnosis import diagnose, subject_of, write_page

    spec = training_of(run, step)
    diagnosis = diagnose(subject_of(spec), spec.seed)
    if page is not None:
        write_page(diagnosis, page)
    if as_json:
        print_json(diagnosis.to_json())
        end(bad=bool(diagnosis.faults))
        return
    rows = f"{diagnosis.rows:,} rows of training and {diagnosis.validation_rows:,} of validation"
    typer.echo(f"{rows} were looked at.")
    found = [Finding(State.BAD, f"{one.name}: {one.seen.removesuffix('.')}", one.cure) for one in diagnosis.faults]
    tell(found or [Finding(State.GOOD, "None of the checks found a fault")], as_json=False)
