"""What is taken out of a component's source tells and does not run; what runs stays as its author laid it out."""

import ast
import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.kfp import catalog
from seaway.kfp.catalog import Entry
from seaway.kfp.prose import bare_source

SOURCE = '''\
def step(
    height: int = 1,
    names: list = [],
):
    kept = f"""a # no comment

    {height}

    b"""
    def inner():
        return f"{height} # {kept}"
    return (
        inner(),
        names,
    )
'''
TEXT = range(4, 9)  # the lines of `kept`
COMMENTS = ("# why", "#", "# def step(): pass", '# """', "#: noqa")
WORDS = st.text("abc #\n'\"")


def ran(source: str) -> Any:
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102
    return names["step"](height=3)


def test_words_go_and_strings_that_look_like_them_stay() -> None:
    told = SOURCE.replace("):\n    kept", '):\n    """Tell.\n\n    # all\n    """\n    # what follows\n\n    kept', 1)
    told = told.replace("inner(),\n", "inner(),  # first\n        # and\n\n")
    assert bare_source(told, "step") == SOURCE
    assert ran(told) == ran(SOURCE)


@given(st.data())
def test_prose_anywhere_changes_nothing(data: st.DataObject) -> None:
    """Comments behind any line and between any two, blank lines, and any docstring."""
    lines = []
    for number, line in enumerate(SOURCE.splitlines()):
        in_text = number in TEXT
        lines.append(line if in_text else line + data.draw(st.sampled_from(["", *(f"  {one}" for one in COMMENTS)])))
        if number == 3:
            lines.append("    " + repr(data.draw(WORDS)))
        if not in_text or number == TEXT[-1]:
            indent = " " * data.draw(st.integers(0, 6))
            lines += [indent + one for one in data.draw(st.lists(st.sampled_from(["", *COMMENTS]), max_size=2))]
    assert bare_source("\n".join(lines) + "\n", "step") == SOURCE


def test_what_a_library_may_read_stays() -> None:
    """Docstrings of functions inside a component, such as a tool's, and types in comments, as torch.jit reads them."""
    source = 'def step(x):\n    def tool(y):\n        # type: (int) -> int\n        """Prompt."""\n    return tool\n'
    assert bare_source(source, "step") == source


@pytest.mark.parametrize(
    "source",
    [
        'def step(): "told"; return 1\n',  # on one line with what runs
        'def step():\n    """Told."""\n',  # nothing else in it
        "def step(:\n    # no Python\n",
        "def step():\n    x = '''never closed\n",
    ],
)
def test_a_source_whose_words_cannot_be_told_from_the_rest_is_taken_as_it_is(source: str) -> None:
    assert bare_source(source, "step") == source


@pytest.mark.parametrize("entry", catalog.components(), ids=lambda entry: entry.name)
def test_every_component_runs_what_its_author_wrote(entry: Entry) -> None:
    source = inspect.getsource(entry.load().python_func)
    written, bare = ast.parse(source).body[0], bare_source(source, entry.name)
    assert isinstance(written, ast.FunctionDef)
    written.body.pop(0)
    assert ast.dump(ast.parse(bare).body[0]) == ast.dump(written)
    assert bare_source(bare, entry.name) == bare
