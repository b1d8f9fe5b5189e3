"""Tagged cells become a component that runs, or it is said which cell is missing."""

import importlib
from pathlib import Path

import pytest
from notebooks import code, text, write
from seaway.errors import InvalidSpec
from seaway.notebooks import Document
from seaway.notebooks.component import Wanted, source


@pytest.fixture
def document(tmp_path: Path) -> Document:
    return Document.read(
        str(
            write(
                tmp_path / "explore.ipynb",
                code("import json", "imports"),
                code("factor = 2\nunused = 1\nrows = 'rows.json'\nscaled = 'scaled.json'", "parameters"),
                code("def twice(x):\n    return factor * x  # once more", "functions"),
                text('# Scale the "rows"\nand more'),
                code("numbers = [twice(one) for one in json.load(open(rows))]", "scale"),
                code(
                    "note = '''a\n  b'''\nopen(scaled, 'w').write(json.dumps(numbers))\ntotal = sum(numbers)", "scale"
                ),
                code("print(numbers)", "look"),
                code("!ls", "shell"),
            )
        )
    )


WANTED = Wanted("scale", inputs={"rows": "Dataset"}, outputs={"scaled": "Dataset"}, returns=("total", "float"))


def test_the_component_does_what_the_cells_did(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = source(document, WANTED)
    (tmp_path / "scale_cells.py").write_text(made)
    monkeypatch.syspath_prepend(tmp_path)
    component = importlib.import_module("scale_cells").scale
    assert set(component.component_spec.inputs) == {"rows", "factor"}
    assert set(component.component_spec.outputs) == {"scaled", "Output"}
    (tmp_path / "rows.json").write_text("[1, 2]")

    class At:
        def __init__(self, path: Path) -> None:
            self.path = str(path)

    python = component.python_func
    assert python(rows=At(tmp_path / "rows.json"), scaled=At(tmp_path / "scaled.json"), factor=3) == 9.0
    assert (tmp_path / "scaled.json").read_text() == "[3, 6]"
    assert "note = '''a\n  b'''" in made and "# once more" in made and "unused" not in made
    assert python.__doc__ == "Scale the 'rows'"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted("look"), "use numbers, which cell 5 makes"),
        (Wanted("gone"), r"No cell of .* is tagged 'gone'; its tags are: functions, imports, look"),
        (Wanted("shell"), "`!ls` is a line of IPython"),
        (Wanted("scale", inputs={"columns": "Dataset"}), "use no columns"),
        (Wanted("scale", returns=("lost", "int")), "use lost, which no cell makes"),
    ],
)
def test_what_is_missing_is_named(document: Document, wanted: Wanted, told: str) -> None:
    with pytest.raises(InvalidSpec, match=told):
        source(document, wanted)


def test_names_and_types_are_checked() -> None:
    with pytest.raises(InvalidSpec, match="'a b' is no name in Python"):
        Wanted("a b")
    with pytest.raises(InvalidSpec, match=r"'Data' is no type here; there are: Artifact, Dataset"):
        Wanted("a", inputs={"rows": "Data"})


def test_a_default_that_is_no_plain_value_is_refused(tmp_path: Path) -> None:
    notebook = write(tmp_path / "a.ipynb", code("when = load()", "parameters"), code("print(when)", "tell"))
    with pytest.raises(InvalidSpec, match=r"The default of when is no plain value: load\(\)"):
        source(Document.read(str(notebook)), Wanted("tell"))
