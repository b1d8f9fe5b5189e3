"""A notebook as one self-contained page, in the colours of all others; nothing on it is run or fetched."""

from pathlib import Path

from seaway.notebooks.document import Document
from seaway.reporting.page import style
from seaway.storage import atomic_path

TEMPLATES = Path(__file__).parent / "templates"


def html(document: Document, name: str = "") -> str:
    """The page. What cells have shown is on it as they gave it: show it in a frame of an origin of its own."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    values = {"title": name or document.name, "style": style(), "body": _rendered(document)}
    return environment.get_template("notebook.html").render(**values)


def write_page(document: Document, target: Path, name: str = "") -> None:
    """Write it, whole or not at all."""
    with atomic_path(target) as draft:
        draft.write_text(html(document, name), encoding="utf-8")


def _rendered(document: Document) -> str:
    """The cells as HTML."""
    from nbconvert import HTMLExporter

    body: str = HTMLExporter(template_name="basic").from_notebook_node(document.node)[0]
    return body
