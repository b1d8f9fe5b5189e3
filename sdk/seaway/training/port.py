"""The port of training: what a platform must do."""

from typing import Protocol

from seaway.training.result import TrainResult
from seaway.training.spec import TrainSpec


class Trainer(Protocol):
    """Runs an entrypoint on many processes or nodes and gives back what it wrote."""

    def train(self, spec: TrainSpec) -> TrainResult:
        """Train, or give the finished result of an identical earlier run; a half-finished one is resumed.

        Raises:
            DataUnreadable: a data file is missing or empty.
            InvalidSpec: the entrypoint does not exist.
            TrainingFailed: with the last lines of the failing rank's log.
        """
        ...
