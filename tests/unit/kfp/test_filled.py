"""What a pipeline puts inside a step's argument, filled by the compiled step where Kubeflow would make text of it."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kfp import dsl
from seaway.errors import InvalidSpec
from seaway.kfp import compile as compiler
from seaway.kfp import component
from seaway.kfp.filled import with_filling
from seaway.kfp.filling import _seaway_filled
from seaway.kfp.parameters import plain_value


@component
def take(what: dict, text: str = "") -> float:
    """Take what a pipeline fills."""
    return 1.0


@dsl.pipeline(name="filling")
def pipeline(rate: float = 6.0, name: str = "x"):
    """Fill a dict by a parameter and an output, and a text."""
    made = take(what={"plain": 1})
    take(what={"rate": rate, "deep": [made.output]}, text=f"<{name}>")


@dsl.container_component
def contained(what: dict):
    """Take a dict without Python."""
    return dsl.ContainerSpec(image="alpine", command=["echo", what])


@dsl.pipeline(name="contained")
def contained_pipeline(rate: float = 6.0):
    """Fill a dict of a container."""
    contained(what={"rate": rate})


def test_kubeflow_finds_no_placeholder_and_the_step_knows_each_type() -> None:
    spec = compiler.compiled(pipeline).spec
    constants = spec.root.dag.tasks["take-2"].inputs.parameters
    assert plain_value(constants["what"].runtime_value.constant) == {
        "rate": "{{seaway:float:pipelinechannel--rate}}",
        "deep": ["{{seaway:float:pipelinechannel--take-Output}}"],
    }
    assert "{{seaway:str:pipelinechannel--name}}" in constants["text"].runtime_value.constant.string_value
    assert "{{$.inputs" not in compiler.compiled(pipeline).text
    assert "take = _seaway_filled(take, ['text', 'what'], [])" in compiler.compiled(pipeline).text


def test_what_is_compiled_once_more_stays_as_it_is() -> None:
    spec = compiler.compiled(pipeline).spec
    assert with_filling(spec) == spec


def test_a_container_with_a_filled_dict_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="Step contained is no Python component, and its what has a value"):
        compiler.compiled(contained_pipeline)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=JSON)
def test_a_value_arrives_as_it_is_whatever_it_is(value: Any) -> None:
    told = {"inputs": {"parameterValues": {"x": value}}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["main", "--executor_input", json.dumps(told), "--function_to_execute", "echo"])
        filled = _seaway_filled(lambda what, other: (what, other), ["what"], ["other"])
    place = "{{seaway::x}}"
    got, empty = filled(what={"a": [place], "b": f"<{place}>"}, other=None)
    assert repr(got["a"]) == repr([value])
    assert got["b"] == f"<{value if isinstance(value, str) else json.dumps(value)}>"
    assert empty == []


@pytest.mark.parametrize(("kind", "told", "arrives"), [("float", 6, "6.0"), ("int", 6.0, "6"), ("str", "6", "'6'")])
def test_a_number_has_the_type_of_its_parameter(
    kind: str, told: Any, arrives: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = json.dumps({"inputs": {"parameterValues": {"x": told}}})
    monkeypatch.setattr(sys, "argv", ["main", "--executor_input", message])
    assert repr(_seaway_filled(lambda what: what, ["what"], [])(what=f"{{{{seaway:{kind}:x}}}}")) == arrives
