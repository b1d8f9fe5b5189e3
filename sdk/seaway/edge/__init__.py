"""Models that leave for devices: converted for a target, signed, measured, and proved to be still the same model."""

from seaway.edge.package import EdgeManifest, EdgePackage, export_edge, load, verify
from seaway.edge.port import EdgeTarget, every, named

__all__ = ["EdgeManifest", "EdgePackage", "EdgeTarget", "every", "export_edge", "load", "named", "verify"]
