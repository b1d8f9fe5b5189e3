"""What is read of a notebook before it is run."""

import json
from pathlib import Path

import pytest
from nbformat.v4 import new_output
from notebooks import code, text, write
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.notebooks import Document, NotebookSpec, text_of


def test_parameters_are_what_the_tagged_cell_assigns(tmp_path: Path) -> None:
    notebook = write(tmp_path / "a.ipynb", code("rows: int = 3\nname = 'x'  # of it", "parameters"), code("other = 1"))
    assert list(Document.read(str(notebook)).parameters()) == ["rows", "name"]
    with pytest.raises(InvalidSpec, match=r"takes no row, other; it has rows, name\."):
        NotebookSpec(str(notebook), {"row": 1, "other": 2, "name": "y"})


def test_a_notebook_without_such_a_cell_takes_nothing(tmp_path: Path) -> None:
    notebook = write(tmp_path / "a.ipynb", code("rows = 3"))
    with pytest.raises(InvalidSpec, match="no cell tagged 'parameters'"):
        NotebookSpec(str(notebook), {"rows": 1})


def test_what_is_no_python_is_refused_by_its_cell_and_magics_are_not(tmp_path: Path) -> None:
    fine = write(
        tmp_path / "fine.ipynb", code("%matplotlib inline\nif True:\n    !ls\nawait f()"), code("%%bash\nls -l |")
    )
    assert "ls" not in NotebookSpec(str(fine)).document.code
    wrong = write(tmp_path / "wrong.ipynb", text("# no code"), code("x = = 2"))
    with pytest.raises(InvalidSpec, match=r"Cell 2 of .*wrong\.ipynb is no Python"):
        NotebookSpec(str(wrong))
    other = json.loads(fine.read_text())
    other["metadata"]["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    with pytest.raises(InvalidSpec, match="written in R"):
        NotebookSpec(json.dumps(other))


@pytest.mark.parametrize("content", ["", "[]", "{}", "text", '{"nbformat": 4, "cells": 3}'])
def test_what_is_no_notebook_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.ipynb").write_text(content)
    with pytest.raises(DataUnreadable, match="is no notebook"):
        Document.read(str(tmp_path / "a.ipynb"))
    with pytest.raises(DataUnreadable, match="There is no notebook"):
        Document.read("gone.ipynb")


def test_its_text_is_the_same_notebook_without_what_it_showed_or_braces_that_a_pipeline_fills(tmp_path: Path) -> None:
    shown = code("print('secret')\nx = '{{braces}} {{{'", "output:x")
    shown.outputs = [new_output("stream", text="secret shown")]
    given = text_of(write(tmp_path / "a.ipynb", code("rows = 3", "parameters"), shown))
    assert "shown" not in given and "{{" not in given
    document = NotebookSpec(given, {"rows": 4}).document
    assert [cell.source for cell in document.code_cells("output:x")] == [shown.source]
