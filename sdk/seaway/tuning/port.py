"""The port of tuning: what a platform must do."""

from typing import Protocol

from seaway.tuning.result import TuneResult
from seaway.tuning.spec import TuneSpec


class Tuner(Protocol):
    """Trains one template with many params and finds the best."""

    def tune(self, spec: TuneSpec) -> TuneResult:
        """Carry out a study, or go on with the same one where it stopped; a finished one is given again.

        Raises:
            DataUnreadable: a data file, or the study to start from, is missing or broken.
            InvalidSpec: this backend cannot carry the study out; the message names the one that can.
            TuningFailed: too many trials failed, or none ended well; with the reason of the last failure.
        """
        ...
