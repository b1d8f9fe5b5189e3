"""Wrong parameters are told, with all parameters, before anything starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kfp import dsl
from kfp.pipeline_spec import pipeline_spec_pb2
from seaway.errors import InvalidSpec
from seaway.kfp import component
from seaway.kfp.parameters import bind


@component
def use(months: str, rows: int, share: float, fast: bool, options: dict, names: list):
    """Take one of each type."""


@dsl.pipeline(name="typed")
def typed(
    months: str,
    rows: int = 0,
    share: float = 0.5,
    fast: bool = False,
    options: dict = {},  # noqa: B006
    names: list = [],  # noqa: B006
):
    """Take one of each type."""
    use(months=months, rows=rows, share=share, fast=fast, options=options, names=names)


SPEC: pipeline_spec_pb2.PipelineSpec = typed.pipeline_spec


def test_words_become_the_declared_types() -> None:
    words = {"months": "1", "rows": "7", "share": "1e-2", "fast": "yes", "options": '{"a": 1}', "names": '["x"]'}
    expected = {"months": "1", "rows": 7, "share": 0.01, "fast": True, "options": {"a": 1}, "names": ["x"]}
    assert bind(SPEC, words) == expected


@given(rows=st.integers(), share=st.floats(allow_nan=False), fast=st.booleans())
def test_what_is_printed_is_read_back(rows: int, share: float, fast: bool) -> None:
    bound = bind(SPEC, {"months": "1", "rows": str(rows), "share": repr(share), "fast": str(fast)})
    assert (bound["rows"], bound["share"], bound["fast"]) == (rows, share, fast)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"months": "1", "row": "1"}, "Unknown parameter row"),
        ({}, "Missing parameter months"),
        ({"months": "1", "rows": "many"}, "rows is 'many', which is no int"),
        ({"months": "1", "rows": True}, "rows is True, which is no int"),
        ({"months": "1", "fast": "maybe"}, "which is no bool"),
        ({"months": "1", "options": "{"}, "which is no dict"),
        ({"months": "1", "names": "{}"}, "which is no list"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_list_of_all(words: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidSpec, match=told) as refused:
        bind(SPEC, words)
    assert "months: str" in str(refused.value)
    assert "rows: int = 0" in str(refused.value)
