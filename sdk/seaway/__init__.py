"""Seaway: from features to production on Kubeflow."""

from seaway.version import VERSION as __version__

__all__ = ["__version__"]
