"""`python -m seaway.platforms.slurm.node`: the task that Slurm starts on each node of a training.

It is a pod's program with a scratch folder of its own, which is gone with it; SEAWAY_SCRATCH or TMPDIR says on which
disk. Slurm's SIGTERM, of scancel or before a preemption, ends the processes and keeps their last checkpoint.
"""

import os
import tempfile

from seaway.entrypoint import run
from seaway.signals import sigterm_raises
from seaway.training.pod import __main__ as pod


def main() -> int:
    """Train as this node's part of the job; the exit code is the pod program's."""
    disk = os.environ.get("SEAWAY_SCRATCH")
    with sigterm_raises(), tempfile.TemporaryDirectory(prefix="seaway-", dir=disk) as scratch:
        os.environ.update({"SEAWAY_SCRATCH": scratch, "PET_NODE_RANK": os.environ["SLURM_NODEID"]})
        return pod.main()


if __name__ == "__main__":
    run(main)
