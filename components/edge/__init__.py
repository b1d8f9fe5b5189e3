"""Models that leave for devices."""

from seaway_components.edge.compare_edge.component import compare_edge
from seaway_components.edge.distil_model.component import distil_model
from seaway_components.edge.export_edge.component import export_edge
from seaway_components.edge.measure_edge.component import measure_edge
from seaway_components.edge.prune_model.component import prune_model
from seaway_components.edge.quantize_model.component import quantize_model

__all__ = ["compare_edge", "distil_model", "export_edge", "measure_edge", "prune_model", "quantize_model"]
