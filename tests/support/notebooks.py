"""Notebooks written by hand: cells of code with their tags."""

from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def code(source: str, *tags: str) -> Any:
    """A cell of code."""
    return new_code_cell(source, metadata={"tags": list(tags)})


def text(source: str) -> Any:
    """A cell of Markdown."""
    return new_markdown_cell(source)


def write(path: Path, *cells: Any) -> Path:
    """A notebook of these cells."""
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path
