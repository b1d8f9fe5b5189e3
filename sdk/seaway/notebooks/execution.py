"""Executing a notebook by papermill: parameters in, what tagged cells show out, and a failing cell as the reason."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seaway.errors import InvalidSpec, NotebookFailed
from seaway.notebooks import outputs
from seaway.notebooks.document import PARAMETERS, Document, tags
from seaway.notebooks.page import write_page

EXECUTED = "notebook.ipynb"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
AT = re.compile(r"^-+> *\d+ (.*)$", re.MULTILINE)  # how IPython marks the line of a frame
KERNEL = "python3"


@dataclass(frozen=True)
class NotebookSpec:
    """A notebook, and the values that its cell tagged `parameters` is given.

    Raises:
        InvalidSpec: a value has no place there, or the notebook is no Python.
        DataUnreadable: it cannot be read.
    """

    source: str
    params: Mapping[str, Any] = field(default_factory=dict)
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        document = Document.read(self.source)
        document.require_python()
        object.__setattr__(self, "document", document)
        self.require(self.params)

    def require(self, names: Mapping[str, Any]) -> None:
        """Raises: InvalidSpec: the notebook has no parameter of a name."""
        known = self.document.parameters()
        if unknown := [name for name in names if name not in known]:
            there = ", ".join(known) if known else f"no cell tagged {PARAMETERS!r} that assigns any"
            raise InvalidSpec(f"{self.document.name} takes no {', '.join(unknown)}; it has {there}.")


@dataclass(frozen=True)
class NotebookResult:
    """What came of it.

    Attributes:
        metrics: figures of the cell tagged `metrics`.
        files: name to file of each cell tagged `output:NAME`.
        cells: how many cells of code were run.
    """

    metrics: Mapping[str, float]
    files: Mapping[str, Path]
    cells: int

    @property
    def summary(self) -> str:
        kept = f", kept {', '.join(self.files)}" if self.files else ""
        return f"{self.cells} cells{kept}"


def execute(spec: NotebookSpec, folder: Path, page: Path, data: Path | None = None) -> NotebookResult:
    """Run all cells in a kernel of this Python; `folder` is where what they give is kept, `page` the notebook as HTML.

    The notebook with its outputs, `notebook.ipynb`, and the page are written even where a cell fails. A parameter
    called `outputs` is given the folder, for files of the notebook's own; one called `data` the rows.

    Raises:
        NotebookFailed: a cell raised, its kernel died, or a tagged cell shows nothing.
        InvalidSpec: `data` is given, and the notebook has no such parameter.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = dict(spec.params)
    if data is not None:
        spec.require({"data": data})
        given["data"] = str(data.absolute())
    if "outputs" in spec.document.parameters():
        given.setdefault("outputs", str(folder.absolute()))
    try:
        _run(spec.document, given, folder / EXECUTED)
    finally:
        if (folder / EXECUTED).is_file():
            write_page(Document.read(str(folder / EXECUTED)), page, spec.document.name)
    ran = Document.read(str(folder / EXECUTED))
    files = outputs.keep(ran, folder)
    return NotebookResult(outputs.metrics(ran), files, len(list(spec.document.code_cells())))


def _run(document: Document, given: Mapping[str, Any], target: Path) -> None:
    import nbformat
    from nbclient.exceptions import DeadKernelError
    from papermill import PapermillExecutionError, execute_notebook
    from traitlets.config import Config

    with TemporaryDirectory() as scratch, _jupyter(Path(scratch)):
        written = Path(scratch) / "notebook.ipynb"
        nbformat.write(document.node, written)
        try:
            execute_notebook(
                *(written, target, given),
                kernel_name=KERNEL,
                language="python",
                progress_bar=False,
                log_output=True,
                cwd=document.folder,
                config=Config({"KernelManager": {"transport": "ipc", "ip": str(Path(scratch) / "kernel")}}),
            )
        except PapermillExecutionError as error:
            raise NotebookFailed(_reason(document, error)) from None
        except DeadKernelError as error:
            raise NotebookFailed(
                f"The kernel of {document.name} ended before its cells had: it ran out of memory, or a cell ended it."
            ) from error


def _reason(document: Document, error: Any) -> str:
    """A paragraph: which cell, what it raised, and at which line."""
    text = COLOUR.sub("", "\n".join(error.traceback))
    line = next((f", at `{found[1].strip()}`" for found in AT.finditer(text)), "")
    return f"{_cell(document, error)} of {document.name} failed: {error.ename}: {error.evalue}{line}."


def _cell(document: Document, error: Any) -> str:
    """A cell by its place in the notebook as it was written: papermill puts one of parameters among them."""
    for number, cell in enumerate(document.node.cells, 1):
        if cell.cell_type == "code" and cell.source == error.source:
            named = f" ({', '.join(tags(cell))})" if tags(cell) else ""
            return f"Cell {number}{named}"
    return "The cell of the given parameters"


@contextmanager
def _jupyter(scratch: Path) -> Iterator[None]:
    """Where Jupyter and IPython keep what belongs to one execution, and this environment's kernel before the user's."""
    own = {
        "JUPYTER_RUNTIME_DIR": str(scratch / "run"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # nothing is left beside the notebook but what its cells write
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
