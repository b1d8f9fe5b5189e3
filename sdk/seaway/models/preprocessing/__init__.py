"""Preprocessing that a graph cannot hold: an encoded picture or a text becomes a tensor, the same wherever it is asked.

A stage is data, `{"kind": "image", "height": 32, ...}` in the signature of a model, and the registered class of its
kind. What can be arithmetic is in the graph instead.
"""

from seaway.models.preprocessing.port import Preprocessing
from seaway.models.preprocessing.stages import KIND, PROOF, digest, is_binary, stage, stage_class

__all__ = ["KIND", "PROOF", "Preprocessing", "digest", "is_binary", "stage", "stage_class"]
