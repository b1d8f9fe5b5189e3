"""Models that leave for devices."""

from seaway_components.edge.compare_edge.component import compare_edge
from seaway_components.edge.export_edge.component import export_edge
from seaway_components.edge.measure_edge.component import measure_edge

__all__ = ["compare_edge", "export_edge", "measure_edge"]
