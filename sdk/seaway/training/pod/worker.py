"""`python -m seaway.training.pod.worker --spec spec.json`: one process of a training in a pod.

Each start of a process first brings the checkpoints that are kept, then runs the entrypoint as a laptop does. So a
process that torchrun starts anew, in a pod that lives on, also gets what another pod has written.
"""

import os
import runpy
import sys
from pathlib import Path

from seaway.entrypoint import run
from seaway.training.heartbeat import tell_stacks
from seaway.training.pod.checkpoint_sync import bring
from seaway.training.pod.job import VARIABLE, RemoteTraining
from seaway.training.spec import TrainSpec


def main(path: str) -> None:
    """Bring the checkpoints and become the entrypoint, which tells where it stands when the pod asks."""
    tell_stacks(Path(path).parent)
    spec, _ = TrainSpec.read(Path(path))
    training = RemoteTraining.parse(os.environ[VARIABLE])
    bring(training.checkpoints, spec.checkpoints)
    sys.argv = [spec.entrypoint, "--spec", path]
    runpy.run_module(spec.entrypoint, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run(lambda: main(sys.argv[-1]))
