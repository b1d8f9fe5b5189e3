"""A step that never ends in a pipeline inside an exit handler, whose exit tasks write what they are told."""

from kfp import dsl
from seaway.kfp import component


@component
def linger(pids: str):
    """Never end; a child in its group does not either."""
    import json
    import os
    import subprocess
    import time
    from pathlib import Path

    child = subprocess.Popen(["sleep", "600"])
    draft = Path(pids + ".draft")
    draft.write_text(json.dumps([os.getpid(), child.pid]))
    draft.rename(pids)
    time.sleep(600)


@component
def note(file: str, status: dsl.PipelineTaskFinalStatus):
    """Write how the tasks before it ended."""
    from pathlib import Path

    Path(file).write_text(f"{status.state} {status.error_message}")


@component
def after():
    """What else there is."""


@dsl.pipeline(name="inner")
def inner(pids: str, file: str):
    """Has an exit task of its own."""
    with dsl.ExitHandler(note(file=file)):
        linger(pids=pids).set_retry(3)


@dsl.pipeline(name="leaving")
def leaving(pids: str, outer: str, nested: str, loop: bool = False):
    """Linger in a pipeline of a pipeline, by itself or in an iteration of a loop."""
    with dsl.ExitHandler(note(file=outer)):
        with dsl.If(loop == False):  # noqa: E712 - of kfp's condition
            inner(pids=pids, file=nested)
        with dsl.Else(), dsl.ParallelFor([1, 2], parallelism=2) as number:
            with dsl.If(number == 1):
                inner(pids=pids, file=nested)
            with dsl.Else():
                after()
