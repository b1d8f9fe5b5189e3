"""A pipeline file imports its neighbours, may define several pipelines, and leaves nothing of itself behind."""

import sys
from pathlib import Path

import pytest
from seaway.errors import InvalidSpec
from seaway.kfp import compile as compiler
from seaway.kfp.pipeline_file import let_steps_import

STEP = """
from kfp import dsl

@dsl.component(base_image="python:3.11", install_kfp_package=False)
def one() -> int:
    return 1
"""
PIPELINE = """
@dsl.pipeline(name={name!r})
def {variable}():
    one()
"""


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def names(path: Path, *names: str) -> str:
    """A file of pipelines `a-pipeline` and so on, in variables without the ending."""
    return write(
        path, STEP + "".join(PIPELINE.format(name=f"{one}-pipeline", variable=one) for one in names)
    ).as_posix()


def test_a_pipeline_imports_what_lies_beside_it_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("north", "south"):
        write(tmp_path / place, f"NAME = {place!r}", "helper.py")
        write(
            tmp_path / place,
            STEP + "import helper\n" + PIPELINE.format(name="x", variable="x").replace("'x'", "helper.NAME"),
        )
    monkeypatch.chdir("/")
    before = (list(sys.path), set(sys.modules))
    assert [compiler.load(str(tmp_path / place / "mine.py")).name for place in ("north", "south")] == ["north", "south"]
    monkeypatch.chdir(tmp_path / "north")
    assert compiler.load("mine.py").name == "north"
    assert sys.path == before[0]
    assert not {"helper", "mine"} & set(sys.modules) - before[1]


def test_a_pipeline_may_be_in_a_file_that_is_called_as_a_library_is(tmp_path: Path) -> None:
    import json

    path = write(tmp_path, STEP + PIPELINE.format(name="named", variable="named"), "json.py")
    assert compiler.load(str(path)).name == "named"
    assert sys.modules["json"] is json


@pytest.mark.parametrize("name", ["second", "second-pipeline"])
def test_one_of_several_is_named_behind_a_colon(name: str, tmp_path: Path) -> None:
    assert compiler.load(f"{names(tmp_path, 'first', 'second')}:{name}").name == "second-pipeline"


def test_several_are_listed_with_the_words_that_choose_one(tmp_path: Path) -> None:
    path = names(tmp_path, "first", "second")
    with pytest.raises(InvalidSpec, match=rf"defines first, second; say which: {path}:first\."):
        compiler.load(path)
    with pytest.raises(InvalidSpec, match="no pipeline 'third'; it defines: first, second"):
        compiler.load(f"{path}:third")


def test_of_several_the_one_called_pipeline_is_meant(tmp_path: Path) -> None:
    assert compiler.load(str(names(tmp_path, "first", "pipeline", "last"))).name == "pipeline-pipeline"


def test_a_pipeline_that_is_imported_does_not_count_as_the_files_own(tmp_path: Path) -> None:
    write(tmp_path, STEP + PIPELINE.format(name="inner", variable="inner"), "inside.py")
    path = write(tmp_path, STEP + "from inside import inner\n" + PIPELINE.format(name="outer", variable="outer"))
    assert compiler.load(str(path)).name == "outer"
    assert compiler.load(str(write(tmp_path, "from inside import inner\nsame = inner\n"))).name == "inner"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import sys; sys.exit('no licence')", "SystemExit: no licence"),
        ("from .helper import x", "attempted relative import"),
        ("raise ValueError('two\\nlines.')", "ValueError: two lines.$"),
    ],
)
def test_a_file_that_does_not_import_says_why(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=told):
        compiler.load(str(write(tmp_path, text)))


@pytest.mark.parametrize("name", ["types.py", "queue.py", "yaml/__init__.py"])
@pytest.mark.parametrize("where", ["beside", "here"])
def test_a_file_that_would_keep_each_step_from_starting_is_refused_by_name(
    name: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    for folder in ("beside", "here"):
        write(tmp_path / folder, "").unlink()
    monkeypatch.chdir(tmp_path / "here")
    pipeline = names(tmp_path / "beside", "one")
    for harmless in ("test.py", "helper.py", "queue.txt"):
        write(tmp_path / where, "", harmless)
    let_steps_import(pipeline)
    (tmp_path / where / name).parent.mkdir(exist_ok=True)
    (tmp_path / where / name).touch()
    with pytest.raises(InvalidSpec, match=f"{name.partition('/')[0]} has the name of a module.* another name"):
        let_steps_import(pipeline)
