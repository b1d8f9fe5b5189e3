"""Training components."""

from seaway_components.training.train_pytorch.component import train_pytorch

__all__ = ["train_pytorch"]
