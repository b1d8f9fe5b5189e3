"""Formats for devices, one file each; see `seaway.edge.EdgeTarget`."""
