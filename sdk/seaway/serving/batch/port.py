"""The port: many rows predicted by one process or by pods."""

from typing import Protocol

from seaway.serving.batch.spec import BatchResult, BatchSpec


class BatchPredictor(Protocol):
    """Predicts the rows of a `BatchSpec`."""

    def predict(self, spec: BatchSpec, pods: int) -> BatchResult:
        """All answers in the spec's folder, whole; called again, it goes on with what is there.

        Args:
            spec: what is predicted, and by what; its shards are those of this call's own machine.
            pods: that share the work, where there are pods.

        Raises:
            PackageRefused: the package does not verify.
            DataUnreadable: the rows cannot be read, or are not the model's.
            InvalidSpec: the folder holds answers to something else, or there are no pods here.
        """
        ...
