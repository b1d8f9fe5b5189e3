"""`python -m seaway.training.ray.node`: a bundle's part of a training, a child of the actor that holds the bundle.

It is a pod's program with a scratch folder of its own, which is gone with it; SEAWAY_SCRATCH or TMPDIR says on which
disk. Its standard input is a pipe of the actor's: when that closes, the actor is gone, however it ended.
"""

import os
import signal
import tempfile
import threading

from seaway.entrypoint import run
from seaway.signals import sigterm_raises
from seaway.training.pod import __main__ as pod

STDIN = 0


def main() -> int:
    """Train as this bundle's part of the job; the exit code is the pod program's."""
    disk = os.environ.get("SEAWAY_SCRATCH")
    with sigterm_raises(), tempfile.TemporaryDirectory(prefix="seaway-", dir=disk) as scratch:
        threading.Thread(target=_end_with_actor, daemon=True).start()
        os.environ["SEAWAY_SCRATCH"] = scratch
        return pod.main()


def _end_with_actor() -> None:
    os.read(STDIN, 1)  # not sys.stdin's read, whose lock would outlive the interpreter
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    run(main)
