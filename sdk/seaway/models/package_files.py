"""The files of a model package by name."""

from seaway.models.lineage import LINEAGE_FILE
from seaway.models.signature import SIGNATURE_FILE
from seaway.models.signing import SIGNATURE_BUNDLE

GRAPH_FILE = "model.pt2"
WEIGHTS_FILE = "model.safetensors"
ONNX_FILE = "model.onnx"
MODEL_FILES = (GRAPH_FILE, WEIGHTS_FILE, SIGNATURE_FILE)
OPTIONAL_FILES = (ONNX_FILE,)
REQUIRED_FILES = (*MODEL_FILES, LINEAGE_FILE, SIGNATURE_BUNDLE)
ALLOWED_FILES = frozenset((*REQUIRED_FILES, *OPTIONAL_FILES))
