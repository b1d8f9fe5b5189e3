"""A form says what a parameter is, and what was written is passed on as a command line would."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.dev import forms
from seaway.kfp import parameters
from seaway.kfp.interface import REQUIRED, Port

PORTS = [
    Port("rows", "int", default=3),
    Port("share", "float", default=0.5),
    Port("broken", "bool", default=False),
    Port("name", "str", default="a"),
    Port("gate", "dict", default={"auc": 0.7}),
    Port("weights", "list", default=[5, 25]),
    Port("needed", "int"),
]

VALUES = st.one_of(
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.lists(st.integers(0, 9)),
    st.dictionaries(st.text("ab"), st.integers(0, 9)),
)


def test_each_parameter_has_a_field_of_its_kind_with_its_default() -> None:
    found = {field.name: (field.kind, field.text, field.required) for field in forms.fields(PORTS, {})}
    assert found == {
        "rows": ("line", "3", False),
        "share": ("line", "0.5", False),
        "broken": ("choice", "false", False),
        "name": ("line", "a", False),
        "gate": ("area", '{"auc": 0.7}', False),
        "weights": ("area", "[5, 25]", False),
        "needed": ("line", "", True),
    }
    assert PORTS[-1].default is REQUIRED


def test_what_an_earlier_run_was_given_stands_in_its_field() -> None:
    found = {field.name: field.text for field in forms.fields(PORTS, {"rows": 9, "name": "two\nlines", "needed": 1})}
    assert (found["rows"], found["name"], found["needed"]) == ("9", "two\nlines", "1")


def test_an_empty_field_means_the_default_but_of_a_text_that_has_one() -> None:
    given_texts = {"rows": "", "share": "0.25", "name": "", "gate": "", "needed": ""}
    assert forms.arguments(PORTS, given_texts) == {"share": "0.25", "name": ""}


@given(VALUES)
def test_a_value_that_is_shown_and_sent_back_is_the_same(value: Any) -> None:
    kind = {bool: "BOOLEAN", int: "NUMBER_INTEGER", list: "LIST", dict: "STRUCT"}[type(value)]
    [field] = forms.fields([Port("p", parameters.TYPES[kind][0], default=None)], {"p": value})
    assert parameters.TYPES[kind][2](field.text) == value


@pytest.mark.parametrize("size", [forms.MOST_BYTES + 1])
def test_a_form_that_is_too_large_is_refused(size: int, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dev_pages import signed_in

    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    with signed_in(tmp_path) as client:
        assert client.post("/start", content=b"a" * size).status_code == 413
