"""`seaway run`: arguments, progress, summary and exit code."""

import sys
import time
from collections.abc import Sequence

from rich.console import Console

from seaway import platforms
from seaway.cli.interrupts import ending_at_once
from seaway.cli.light_kfp import import_kfp
from seaway.errors import InvalidSpec, RunFailed
from seaway.storage import read_json

SIGNAL_EXIT = 128  # a shell's convention: 128 + the signal's number


def run_pipeline(pipeline: str, words: Sequence[str], caching: bool, as_json: bool, explaining: bool = False) -> int:
    """Run and return the exit code. Progress goes to stderr where stdout is for the JSON record."""
    with ending_at_once():  # but for the time in which steps run, whose end the runner sees to
        return _run(pipeline, words, caching, as_json, explaining)


def _run(pipeline: str, words: Sequence[str], caching: bool, as_json: bool, explaining: bool) -> int:
    given = arguments(words)
    started = time.monotonic()
    import_kfp()
    from seaway.cli import questions
    from seaway.cli.output import print_json
    from seaway.cli.progress import Progress, console
    from seaway.cli.summary import explain_failure, summarise
    from seaway.kfp import pipeline_file
    from seaway.kfp.local.records import seconds_by_place
    from seaway.kfp.local.runner import Interrupted, local_run

    pipeline_file.let_steps_import(pipeline)
    shown = console(sys.stderr if as_json else sys.stdout)  # kfp.local's prints go elsewhere
    progress = Progress(
        shown, explaining, seconds_by_place(pipeline_file.absolute(pipeline)) if shown.is_terminal else {}
    )
    try:
        with progress.showing(), questions.told(progress.console):
            record = local_run(pipeline, given, caching, progress)
    except Interrupted as interrupt:
        but = ", but for what is told above" if interrupt.left else ""
        Console(stderr=True).print(f"Run {interrupt}; everything that it started has been ended{but}.", soft_wrap=True)
        if as_json and interrupt.folder:
            print_json(read_json(interrupt.folder / "run.json"))
        return SIGNAL_EXIT + interrupt.number
    except RunFailed as failure:
        explain_failure(failure.folder, progress.console)
        if as_json:
            print_json(read_json(failure.folder / "run.json"))
        raise
    summarise(record.folder, progress.console, time.monotonic() - started)
    if as_json:
        print_json(read_json(record.folder / "run.json"))
    return 0


def choose_backends(words: Sequence[str]) -> None:
    """Have the steps take the backends that `port=name` words name.

    Raises:
        InvalidSpec: a word has no `=`, or there is no such port or backend.
    """
    for port, backend in arguments(words, "--backend", "--backend endpoint=process").items():
        platforms.choose(port, str(backend))


def arguments(words: Sequence[str], option: str = "--param", example: str = "-p months=1,2") -> dict[str, object]:
    """`name=value` words as a mapping.

    Raises:
        InvalidSpec: a word has no `=`, or a name is given twice.
    """
    given: dict[str, object] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InvalidSpec(f"{option} {word!r} is not of the form NAME=VALUE, as in {example}.")
        if name in given:
            raise InvalidSpec(f"{option} {name} is given twice.")
        given[name] = value
    return given
