"""Notebooks as steps and as pages: executed with parameters, what they show kept by name, read without a server."""

from seaway.notebooks.document import Document, text_of
from seaway.notebooks.execution import NotebookResult, NotebookSpec, execute
from seaway.notebooks.page import html, write_page

__all__ = ["Document", "NotebookResult", "NotebookSpec", "execute", "html", "text_of", "write_page"]
