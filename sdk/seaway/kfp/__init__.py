"""The component decorator, artifact helpers and the local run."""

from seaway.kfp.component import component

__all__ = ["component"]
