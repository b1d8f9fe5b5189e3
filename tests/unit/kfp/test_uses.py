"""What a step reaches is seen when it changes, wherever it lies and however it is named."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import notebooks
import pytest
from seaway.kfp.local.uses import SMALL_BYTES, versions

Files = dict[str, str]  # path below the folder -> text, or a link's target where it begins with ->


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Files], Path]:
    """A folder that steps run in, with files."""
    folder = tmp_path / "here"
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder / "editable")])

    def make(files: Files) -> Path:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if text.startswith("->"):
                (folder / name).symlink_to(tmp_path / text.removeprefix("->"))
            else:
                (folder / name).write_text(text)
        monkeypatch.chdir(folder)
        return folder

    return make


@pytest.mark.parametrize(
    ("files", "changed", "source", "texts"),
    [
        ({"here/a.py": "X = 1", "link.py": "->here/here/a.py"}, "here/a.py", "import link", []),
        ({"pkg/__init__.py": "", "far/y.py": "1", "pkg/sub": "->here/far"}, "far/y.py", "import pkg", []),
        ({"a.py": "import b", "b.py": "import c", "c.py": "X = 1"}, "c.py", "def f():\n    import a", []),
        ({"space/part/mod.py": "X = 1"}, "space/part/mod.py", "from space.part import mod", []),
        ({"late.py": "X = 1"}, "late.py", "import importlib\nimportlib.import_module('late')", []),
        ({"editable/mine/__init__.py": "X = 1"}, "editable/mine/__init__.py", "import mine", []),
        ({"rows.csv": "1"}, "rows.csv", "", ["rows.csv"]),
        ({"rows.csv": "1"}, "rows.csv", "def f():\n    return open('rows.csv').read()", []),
        ({"a.py": "F = 'm\u00e4rz 1.csv'", "m\u00e4rz 1.csv": "1"}, "m\u00e4rz 1.csv", "import a", []),
        ({"data/rows.csv": "1"}, "data/rows.csv", "", ['{"paths": ["./data"]}']),
        ({"shop.py": "def read(): ..."}, "shop.py", "", ["shop:read"]),
        ({"editable/mine.py": "F = DIR / 'a.txt'", "editable/a.txt": "1"}, "editable/a.txt", "import mine", []),
        (
            {"editable/mine.py": "F = DIR / 'd' / 'a.csv'", "editable/d/a.csv": "1"}, "editable/d/a.csv",
            "import mine", [],
        ),
        ({"pkg/__init__.py": "from pkg.b import x", "pkg/b.py": "x = 1"}, "pkg/b.py", "from pkg import x", []),
        ({"pkg/__init__.py": "", "pkg/words/de.json": "{}"}, "pkg/words/de.json", "import pkg", []),
        ({"my-data/rows.csv": "1"}, "my-data/rows.csv", "", ["my-data"]),
        ({"sub/rows-1.csv": "1"}, "sub/rows-1.csv", "", ["sub/*.csv"]),
        ({"rows-1.csv": "1"}, "rows-1.csv", "", ["*.csv"]),
        ({"a.csv": "1", "b.csv": "2"}, "b.csv", "", ["a.csv,b.csv"]),
        ({"home/rows.csv": "1"}, "home/rows.csv", "", ["~/rows.csv"]),
        ({"sub-1/m1.csv": "1"}, "sub-1/m1.csv", "def f(m):\n    return open(f'sub-1/{m}.csv').read()", []),
        ({"jobs/run.py": "import helper", "jobs/helper.py": "1"}, "jobs/helper.py", "", ["jobs/run.py"]),
        ({"fast.cpython-311-x86_64-linux-gnu.so": "1"}, "fast.cpython-311-x86_64-linux-gnu.so", "import fast", []),
    ],
)  # fmt: skip
def test_a_change_of_what_a_step_reaches_is_seen(
    here: Callable[[Files], Path], files: Files, changed: str, source: str, texts: list[str]
) -> None:
    file = here(files) / changed
    before = versions(source, texts)
    assert versions(source, texts) == before
    file.write_text(file.read_text() + "\n# more\n")
    assert versions(source, texts) != before


@pytest.mark.parametrize("name", ["rows.csv", "large.py"])
def test_an_edit_that_keeps_size_and_time_is_seen(name: str, here: Callable[[Files], Path]) -> None:
    file = here({"rows.csv": "1", "large.py": "#" * (SMALL_BYTES + 1)}) / name
    before, times = versions("import large", ["rows.csv"]), file.stat()
    file.write_text(file.read_text()[:-1] + "2")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert versions("import large", ["rows.csv"]) != before


def test_a_uri_of_a_file_is_that_file(here: Callable[[Files], Path]) -> None:
    file = here({"rows.csv": "1"}) / "rows.csv"
    before = versions("", [file.as_uri()])
    file.write_text("22")
    assert versions("", [file.as_uri()]) != before


@pytest.mark.parametrize("name", ["SHOP_REGION", "shop_region"])
def test_a_variable_that_code_names_counts(
    name: str, here: Callable[[Files], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here({"a.py": f"import os\nX = os.environ['{name}']"})
    absent = versions("import a", [])
    monkeypatch.setenv(name, "north")
    north = versions("import a", [])
    monkeypatch.setenv(name, "south")
    assert len({str(one) for one in (absent, north, versions("import a", []))}) == 3


def test_links_in_a_circle_harm_nothing(here: Callable[[Files], Path]) -> None:
    folder = here({"pkg/__init__.py": "", "pkg/self": "->here/pkg"})
    assert list(versions("import pkg", [])) == [str(folder / "pkg" / "__init__.py")]


@pytest.mark.parametrize("text", ["/", ".", "./", "..", "*", "**", "a/*", "/*", "[a-z]+/.*", "SELECT * FROM rows", ""])
def test_what_is_no_data_of_its_own_names_nothing(text: str, here: Callable[[Files], Path]) -> None:
    """A separator is no folder, and neither is where the step runs: all that lies there would count."""
    here({"rows.csv": "1"})
    assert versions("", [text]) == {}


def test_a_notebook_reaches_the_modules_that_it_imports_and_the_files_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    for name in ("cells_only.py", "rows.csv", "deep/near.csv"):
        (tmp_path / name).write_text("A = 1")
    code = [notebooks.code("import cells_only\nopen('rows.csv')\nopen('near.csv')")]
    file = notebooks.write(tmp_path / "deep" / "look.ipynb", *code)
    found = {Path(name).name for name in versions("", ["deep/look.ipynb"])}
    assert {"cells_only.py", "rows.csv", "near.csv", "look.ipynb"} <= found
    assert "cells_only.py" in {Path(name).name for name in versions("", [file.read_text()])}
    (tmp_path / "broken.ipynb").write_text("{}")
    assert {Path(name).name for name in versions("", ["broken.ipynb"])} == {"broken.ipynb"}
