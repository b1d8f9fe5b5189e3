"""What an executed notebook gives: the value that a tagged cell ends with, as a file or as figures."""

import ast
import base64
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from seaway.errors import NotebookFailed
from seaway.notebooks.document import Document, tags

OUTPUT = re.compile(r"output:([A-Za-z0-9_][A-Za-z0-9_.-]*)")
METRICS = "metrics"


def keep(document: Document, folder: Path) -> dict[str, Path]:
    """Write what each cell tagged `output:NAME` shows last, in its richest form: JSON, a picture, HTML or text.

    Raises:
        NotebookFailed: such a cell shows nothing, or two have one name.
    """
    found: dict[str, Path] = {}
    for cell in document.code_cells():
        for name in _named(cell):
            if name in found:
                raise NotebookFailed(f"Two cells of {document.name} are tagged output:{name}; each needs a name.")
            suffix, content = _richest(_shown(document, cell, f"output:{name}"))
            found[name] = folder / f"{name}{suffix}"
            found[name].write_bytes(content)
    return found


def metrics(document: Document) -> dict[str, float]:
    """Figures of the cells tagged `metrics`: each ends with a dict of numbers by name.

    Raises:
        NotebookFailed: one does not.
    """
    found: dict[str, float] = {}
    for cell in document.code_cells(METRICS):
        value = _value(_shown(document, cell, METRICS))
        if not isinstance(value, Mapping) or not all(map(_is_figure, value.values())):
            raise NotebookFailed(
                f"The cell tagged {METRICS!r} of {document.name} does not end with a dict of numbers by name, such as "
                '`{"auc": float(auc)}`.'
            )
        found |= {str(name): float(number) for name, number in value.items()}
    return found


def _named(cell: Any) -> Iterator[str]:
    yield from (found[1] for tag in tags(cell) if (found := OUTPUT.fullmatch(tag)))


def _shown(document: Document, cell: Any, tag: str) -> Mapping[str, Any]:
    """What a cell shows last, by media type."""
    shown: list[Mapping[str, Any]] = [output["data"] for output in cell.outputs if "data" in output]
    if not shown:
        raise NotebookFailed(
            f"The cell tagged {tag!r} of {document.name} shows nothing: end it with the value, or with display(value)."
        )
    return shown[-1]


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _value(data: Mapping[str, Any]) -> Any:
    """A value that JSON has, shown as such or as Python writes it; None for any other."""
    if "application/json" in data:
        return data["application/json"]
    try:
        value = ast.literal_eval(data.get("text/plain", ""))
        return json.loads(json.dumps(value, allow_nan=False))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _richest(data: Mapping[str, Any]) -> tuple[str, bytes]:
    """Suffix and content."""
    if "application/json" in data or ("text/html" not in data and _value(data) is not None):
        return ".json", json.dumps(_value(data), indent=2, ensure_ascii=False).encode()
    for kind, (suffix, decode) in FORMS.items():
        if kind in data:
            return suffix, decode(data[kind])
    kinds = ", ".join(data)
    raise NotebookFailed(f"What a tagged cell shows is of no form that is kept: {kinds}.")


FORMS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "image/png": (".png", base64.b64decode),
    "image/jpeg": (".jpg", base64.b64decode),
    "image/svg+xml": (".svg", str.encode),
    "text/html": (".html", str.encode),
    "text/markdown": (".md", str.encode),
    "text/plain": (".txt", str.encode),
}
