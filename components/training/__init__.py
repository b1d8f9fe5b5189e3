"""Training components."""

from seaway_components.training.diagnose_training.component import diagnose_training
from seaway_components.training.train_keras.component import train_keras
from seaway_components.training.train_pytorch.component import train_pytorch

__all__ = ["diagnose_training", "train_keras", "train_pytorch"]
