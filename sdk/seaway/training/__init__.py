"""Training specs, the Trainer port and the bundled tabular trainer."""

from seaway.training.result import TrainResult
from seaway.training.spec import TrainSpec
from seaway.training.trainer import Trainer

__all__ = ["TrainResult", "TrainSpec", "Trainer"]
