"""Pipelines for other orchestrators: one file a target."""

from seaway.exports.port import Exporter, Source
from seaway.exports.units import Unit

__all__ = ["Exporter", "Source", "Unit"]
