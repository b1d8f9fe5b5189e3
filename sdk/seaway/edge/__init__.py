"""Models that leave for devices: converted for a target, signed, measured, and proved to be still the same model."""

from seaway.edge.comparison import Comparison, Variant, compare_edge
from seaway.edge.distillation import student_params, write_taught
from seaway.edge.gate import EdgeGate
from seaway.edge.measurement import Measurement, measure_edge
from seaway.edge.package import EdgeManifest, EdgePackage, export_edge, load, verify
from seaway.edge.page import write_page
from seaway.edge.port import PRECISIONS, EdgeTarget, Recipe, every, named
from seaway.edge.quantization import Attempt, Quantized, quantize_model

__all__ = [
    "PRECISIONS", "Attempt", "Comparison", "EdgeGate", "EdgeManifest", "EdgePackage", "EdgeTarget", "Measurement",
    "Quantized", "Recipe", "Variant", "compare_edge", "every", "export_edge", "load", "measure_edge", "named",
    "quantize_model", "student_params", "verify", "write_page", "write_taught",
]  # fmt: skip
