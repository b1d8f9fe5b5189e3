"""Wrong parameters are told, with all parameters, before anything starts."""

import json
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kfp import dsl
from kfp.pipeline_spec import pipeline_spec_pb2
from seaway.errors import InvalidSpec
from seaway.kfp import component
from seaway.kfp.carried import MOST, refusing_constants, shown
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


@given(rows=st.integers(-MOST, MOST), share=st.floats(allow_nan=False, allow_infinity=False), fast=st.booleans())
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
        ({"months": "1", "options": '{"a": 1, "a": 2}'}, "which is no dict"),
        ({"months": "1", "names": "[" * 100_000}, "which is no list"),
        *(({"months": "1", "names": "[" * deep + "]" * deep}, "deeper than 100 levels") for deep in (102, 300, 700)),
        ({"months": "1", "options": '{"a":' * 400 + "1" + "}" * 400}, "deeper than 100 levels"),
        ({"months": "1", "rows": "9" * 4000}, "9..., which cannot travel"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_list_of_all(words: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidSpec, match=told) as refused:
        bind(SPEC, words)
    assert "months: str" in str(refused.value)
    assert "rows: int = 0" in str(refused.value)


def test_a_pipeline_without_parameters_says_so() -> None:
    nothing = pipeline_spec_pb2.PipelineSpec()
    nothing.pipeline_info.name = "late"
    with pytest.raises(InvalidSpec, match=r"Unknown parameter months\. Parameters of late: none\."):
        bind(nothing, {"months": "1"})


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("rows", "20261129174500123", "from 2^53 on; give 20261129174500123 as text"),
        ("rows", str(-(2**53)), "from 2^53 on"),
        ("names", "[9007199254740993]", "in its item 0, Kubeflow's numbers are doubles"),
        ("share", "nan", "JSON has no number nan"),
        ("share", "-inf", "JSON has no number -inf"),
        ("names", "[NaN]", "in its item 0, JSON has no number nan"),
        ("names", "[1, null]", "in its item 1, Kubeflow's parameters carry no null"),
        ("options", '{"a": [{"b": null}]}', "in its 'a', in its item 0, in its 'b', Kubeflow's"),
        ("options", {1: 2}, "its key 1 is no text"),
        ("names", [(1, 2)], "JSON has no tuple"),
        ("months", "\udcff", "its bytes are no UTF-8"),
        ("share", 10**400, "which is no float"),
        ("names", "[" * 100_000, "which is no list"),
    ],
)
def test_what_cannot_travel_is_refused_with_the_place_and_the_reason(name: str, value: object, why: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        bind(SPEC, {"months": "1", name: value})
    assert why in str(refused.value)
    assert f"Parameter {name} is {shown(value)}, which" in str(refused.value)


VALUES = st.recursive(
    st.booleans() | st.integers(-MOST, MOST) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(options=st.dictionaries(st.text(), VALUES, max_size=4))
def test_whatever_json_has_arrives_typed(options: dict[str, Any]) -> None:
    assert repr(bind(SPEC, {"months": "1", "options": json.dumps(options)})["options"]) == repr(options)


@component
def take(count: Optional[int] = None, text: Optional[str] = None):  # noqa: UP045 - as KFP's users write it
    """Take what may be absent."""


@dsl.pipeline(name="absent")
def absent(count: Optional[int] = None, text: Optional[str] = None):  # noqa: UP045
    """Take what may be absent."""
    take(count=count, text=text)


def test_an_optional_parameter_may_be_absent_or_null() -> None:
    spec = absent.pipeline_spec
    assert bind(spec, {}) == bind(spec, {"count": "null"}) == bind(spec, {"count": None, "text": None}) == {}
    assert bind(spec, {"count": "3", "text": "null"}) == {"count": 3, "text": "null"}
    with pytest.raises(InvalidSpec, match="Parameters of absent: count: int = null, text: str = null"):
        bind(spec, {"counts": "1"})


@pytest.mark.parametrize("value", [2**53, [float("nan")], {"a": None}])
def test_a_constant_that_a_compiled_file_would_change_is_refused(value: Any) -> None:
    with refusing_constants(), pytest.raises(InvalidSpec, match="cannot travel"):

        @dsl.pipeline(name="constant")
        def constant():
            """Give what cannot be given."""
            use(months="1", rows=1, share=0.5, fast=True, options={"value": value}, names=[])


@pytest.mark.parametrize("given", ["9007199254740993", "-9_007_199_254_740_993", 2**53 + 1, "123456789012345678901"])
def test_a_whole_number_that_a_float_would_change_is_refused(given: object) -> None:
    with pytest.raises(InvalidSpec, match=r"share is .* which cannot travel: .* the nearest one is"):
        bind(SPEC, {"months": "", "share": given})


@given(value=st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_number_that_was_given_or_refused(value: float) -> None:
    for form in (value, str(value)):
        try:
            assert bind(SPEC, {"months": "", "share": form})["share"] == value
        except InvalidSpec:
            assert isinstance(value, int)
