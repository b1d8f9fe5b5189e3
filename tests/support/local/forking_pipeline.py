"""Steps that tell where they run, and one that dies hard at its first attempt."""

from kfp import dsl
from seaway.kfp import component


@component
def look(variable: str = "") -> list:
    """Tell the parent's command, whether the session is the step's or its guard's, and a variable."""
    import os

    import psutil

    print("looking around")  # noqa: T201
    led = os.getsid(0) in (os.getpid(), os.getppid())
    return [" ".join(psutil.Process().parent().cmdline()), led, os.environ.get(variable, "")]


@component
def die_once(marker: str) -> int:
    """Be killed, as for memory; at the second attempt tell the parent's pid."""
    import os
    import signal
    from pathlib import Path

    if not Path(marker).exists():
        Path(marker).write_text(str(os.getppid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getppid()


@dsl.pipeline(name="forking")
def forking(marker: str):
    """Look around, with a variable of its own too, and die once."""
    look()
    look(variable="ONLY_HERE").set_env_variable("ONLY_HERE", "yes")
    die_once(marker=marker).set_retry(1, backoff_duration="0s")
