"""A notebook as it is written: its cells, their tags, and the code in them."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.storage import storage_for

PARAMETERS = "parameters"  # the tag of the cell whose values may be given anew, as papermill has it
MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)  # a line of IPython's own, which is no Python


@dataclass(frozen=True)
class Document:
    """A notebook of nbformat 4.

    Attributes:
        name: how messages call it.
        node: what nbformat has read; cells in order.
        folder: where it lies, which its own relative paths begin at; None where it came as text or from a store.
    """

    name: str
    node: Any
    folder: Path | None = None

    @classmethod
    def read(cls, source: str) -> "Document":
        """From a path, a URI, or the text of a notebook itself.

        Raises:
            DataUnreadable: nothing is there, or it is no notebook.
        """
        if source.lstrip().startswith("{"):
            return cls("the notebook", _parsed(source, "The text of the notebook"))
        if "://" in source and not source.startswith("file://"):
            return cls(source, _parsed(_download(source), source))
        path = Path(source.removeprefix("file://")).absolute()
        if not path.is_file():
            raise DataUnreadable(f"There is no notebook {source}; a path counts from {Path.cwd()}.")
        return cls(source, _parsed(path.read_text(encoding="utf-8"), source), path.parent)

    @property
    def code(self) -> str:
        """All of its Python, cell by cell."""
        return "\n".join(python(cell) for cell in self.code_cells())

    def code_cells(self, tag: str = "") -> Iterator[Any]:
        """Cells of code in order; those of a tag alone, where one is named."""
        yield from (cell for cell in self.node.cells if cell.cell_type == "code" and (not tag or tag in tags(cell)))

    def parameters(self) -> Mapping[str, ast.expr]:
        """Name to default of what its cell tagged `parameters` assigns."""
        return {name: value for cell in self.code_cells(PARAMETERS) for name, value in _assigned(python(cell))}

    def require_python(self) -> None:
        """Raises: InvalidSpec: it is written in another language, or its code is no Python."""
        language = self.node.metadata.get("kernelspec", {}).get("language") or "python"
        if language != "python":
            raise InvalidSpec(f"{self.name} is written in {language}; notebooks of Python are run.")
        for number, cell in enumerate(self.node.cells, 1):
            if cell.cell_type == "code":
                _require_python(python(cell), f"Cell {number} of {self.name}")


def text_of(source: str | Path) -> str:
    """A notebook as one argument of a pipeline that runs elsewhere: its cells and their tags, without what they showed.

    Raises:
        DataUnreadable: it is no notebook.
    """
    import nbformat

    node = Document.read(str(source)).node
    for cell in node.cells:
        cell.metadata = {"tags": tags(cell)}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    kernel = {name: value for name, value in node.metadata.items() if name == "kernelspec"}
    node.metadata = nbformat.from_dict(kernel)
    # Argo and KFP read two braces as a place to be filled; in JSON they stand in texts only.
    return str(json.dumps(node, separators=(",", ":"), ensure_ascii=False)).replace("{{", "{\\u007b")


def tags(cell: Any) -> list[str]:
    """Those that a cell has."""
    return list(cell.metadata.get("tags", ()))


def python(cell: Any) -> str:
    """A cell's code; IPython's own lines are `pass`, and a cell of another language is nothing."""
    source = str(cell.source)
    return "" if source.lstrip().startswith("%%") else MAGIC.sub(r"\1pass", source)


def _assigned(source: str) -> Iterator[tuple[str, ast.expr]]:
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            yield line.targets[0].id, line.value
        elif isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value:
            yield line.target.id, line.value


def _require_python(source: str, where: str) -> None:
    try:
        compile(source, where, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        raise InvalidSpec(f"{where} is no Python: {error.msg}, line {error.lineno}.") from error


def _download(uri: str) -> str:
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "notebook.ipynb"
        storage_for(uri).download(uri, file)
        return file.read_text(encoding="utf-8")


def _parsed(text: str, where: str) -> Any:
    import nbformat

    try:
        node = nbformat.reads(text, as_version=4)
        nbformat.validate(node)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())[:200]
        raise DataUnreadable(f"{where} is no notebook of Jupyter: {why}") from error
    return node
