"""Training specs, the Trainer port and the bundled tabular trainer."""

from seaway.training.port import Trainer
from seaway.training.result import TrainResult
from seaway.training.spec import TrainSpec

__all__ = ["TrainResult", "TrainSpec", "Trainer"]
