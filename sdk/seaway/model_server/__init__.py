"""What answers requests beside a model, on a laptop and in a pod alike."""

from seaway.model_server.port import ModelServer

__all__ = ["ModelServer"]
