"""Notebook components."""

from seaway_components.notebooks.run_notebook.component import run_notebook

__all__ = ["run_notebook"]
