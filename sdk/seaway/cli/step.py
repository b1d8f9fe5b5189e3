"""`seaway step`: one step of an exported pipeline, as another orchestrator starts it."""

import json
import os
import re
import sys
from collections.abc import Sequence

from seaway.cli.interrupts import ending_at_once
from seaway.cli.light_kfp import import_kfp
from seaway.cli.run import SIGNAL_EXIT, arguments
from seaway.errors import InvalidSpec

VARIABLE = "SEAWAY_PARAMETERS"
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,127}")


def run_step(pipeline: str, place: str, run: str, words: Sequence[str], skipped: int) -> int:
    """Carry out the step and return the exit code, `skipped` where it is not due."""
    name = _run_name(run)
    with ending_at_once():
        given = {**_of_environment(), **arguments(words)}
        import_kfp()
        from seaway.cli.progress import Progress, console
        from seaway.kfp.local.part import Part
        from seaway.kfp.local.runner import Interrupted, local_run
        from seaway.platforms.home import home

        part = Part(name, place, home() / "runs" / name)
        progress = Progress(console(sys.stdout))
        try:
            with progress.showing():
                local_run(pipeline, given, True, progress, part)
        except Interrupted as interrupt:
            return SIGNAL_EXIT + interrupt.number
    if part.skipped:
        progress.console.print(f"{place} is not due: its condition is false, or what it needs did not run.")
        return skipped
    return 0


def _run_name(run: str) -> str:
    """The run's name as a folder: other orchestrators' names have colons and plus signs."""
    name = re.sub(r"[^\w.-]", "-", run)
    if not NAME.fullmatch(name):
        raise InvalidSpec(f"--run {run!r} names no run; give one that all steps of the run share, such as 2026-11-30.")
    return name


def _of_environment() -> dict[str, object]:
    """The parameters that an orchestrator hands over as JSON; one that is empty is the pipeline's default."""
    text = os.environ.get(VARIABLE, "")
    try:
        given = json.loads(text) if text else {}
    except ValueError as error:
        raise InvalidSpec(f"{VARIABLE} is no JSON: {error}.") from error
    if not isinstance(given, dict):
        raise InvalidSpec(f"{VARIABLE} is {text!r}; give an object with a value for each parameter.")
    return {name: value for name, value in given.items() if value is not None}
