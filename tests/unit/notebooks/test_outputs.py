"""What a cell shows last is kept by its name, in its richest form."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_notebook, new_output
from notebooks import code
from seaway.errors import NotebookFailed
from seaway.notebooks import Document, outputs


def shown(*tags: str, **data: Any) -> Document:
    """A notebook whose one cell has shown something else first, and then this."""
    cell = code("…", *tags)
    earlier = new_output("display_data", data={"text/plain": "earlier"})
    given = {name.replace("_", "/", 1): value for name, value in data.items()}
    cell.outputs = [earlier, new_output("execute_result", data=given)] if data else []
    return Document("a.ipynb", new_notebook(cells=[cell]))


PNG = base64.b64encode(b"\x89PNG").decode()


@pytest.mark.parametrize(
    ("data", "suffix", "content"),
    [
        ({"text_plain": "{'auc': 0.5}"}, ".json", b'{\n  "auc": 0.5\n}'),
        ({"text_plain": "x", "application_json": [1]}, ".json", b"[\n  1\n]"),
        ({"text_plain": "<Figure>", "image_png": PNG}, ".png", b"\x89PNG"),
        ({"text_plain": "1", "text_html": "<b>1</b>"}, ".html", b"<b>1</b>"),
        ({"text_plain": "array([1])"}, ".txt", b"array([1])"),
    ],
)
def test_the_richest_form_is_kept(tmp_path: Path, data: dict[str, Any], suffix: str, content: bytes) -> None:
    kept = outputs.keep(shown("output:found", "other", **data), tmp_path)
    assert kept == {"found": tmp_path / f"found{suffix}"}
    assert kept["found"].read_bytes() == content


def test_figures_are_a_dict_of_numbers() -> None:
    assert outputs.metrics(shown("metrics", text_plain="{'auc': 0.5, 'rows': 3}")) == {"auc": 0.5, "rows": 3.0}
    for wrong in ("{'auc': np.float64(0.5)}", "{'auc': True}", "0.5", "{'auc': 'high'}", "{'auc': 1e999}"):
        with pytest.raises(NotebookFailed, match="does not end with a dict of numbers"):
            outputs.metrics(shown("metrics", text_plain=wrong))


def test_a_tagged_cell_that_shows_nothing_or_whose_name_is_taken_fails(tmp_path: Path) -> None:
    with pytest.raises(NotebookFailed, match=r"tagged 'output:found' of a\.ipynb shows nothing"):
        outputs.keep(shown("output:found"), tmp_path)
    twice = shown("output:found", text_plain="1")
    twice.node.cells.append(twice.node.cells[0])
    with pytest.raises(NotebookFailed, match="Two cells"):
        outputs.keep(twice, tmp_path)


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    assert outputs.keep(shown("output:../found", "output:.found", text_plain="1"), tmp_path) == {}
    assert json.dumps(list(tmp_path.iterdir())) == "[]"
