"""Search spaces: what they hold, how they travel as JSON, and what no study can be made of."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.tuning import Categorical, Float, Int, SearchSpace, When
from seaway.tuning.distributions import as_drawn, as_read, distribution, parameter
from seaway.tuning.space import Parameter

PLAIN = st.integers(-99, 99) | st.text("abc", max_size=3) | st.booleans()
JSON = st.recursive(PLAIN, st.lists, max_leaves=4)


@st.composite
def floats(draw: Any) -> Float:
    low, step, steps = draw(st.integers(1, 999)), draw(st.integers(1, 99)), draw(st.integers(1, 20))
    high = (low + step * steps) / 1000
    return Float(low / 1000, high, draw(st.booleans()), draw(st.sampled_from([None, step / 1000])))


@st.composite
def ints(draw: Any) -> Int:
    low = draw(st.integers(1, 1000))
    size = draw(st.integers(1, 1000))
    return Int(low, low + size, draw(st.booleans()), draw(st.integers(1, size)))


CHOICES = st.lists(JSON, min_size=1, max_size=4, unique_by=lambda one: one if isinstance(one, str) else json.dumps(one))


def categorical(choices: list[Any]) -> Parameter:
    try:
        return Categorical(tuple(choices))
    except InvalidSpec:  # "1" and 1 have the same text
        return Categorical(("only",))


PARAMETERS = floats() | ints() | CHOICES.map(categorical)
NAMES = st.text("abcxyz_", min_size=1, max_size=4)
SPACES = st.dictionaries(NAMES, PARAMETERS, min_size=1, max_size=4).map(SearchSpace)


@given(SPACES)
def test_a_space_survives_json(space: SearchSpace) -> None:
    assert SearchSpace.parse(json.loads(json.dumps(space.as_json()))) == space


@given(SPACES)
def test_numbers_that_a_pipeline_engine_made_floats_give_the_same_space(space: SearchSpace) -> None:
    def floated(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: floated(one) for name, one in value.items()}
        if isinstance(value, list):
            return [floated(one) for one in value]
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    assert SearchSpace.parse(floated(space.as_json())) == space


@given(PARAMETERS, st.data())
def test_every_value_survives_text_and_is_held(one: Parameter, data: st.DataObject) -> None:
    values = one.values()
    value = data.draw(st.sampled_from(values) if values else st.floats(one.low, one.high))
    assert one.holds(value)
    assert one.read(one.write(value)) == value


@given(PARAMETERS)
def test_optuna_has_the_same_range(one: Parameter) -> None:
    if isinstance(one, Float | Int) and one.log and one.step not in (None, 1):
        return  # Optuna has no such range; the study is refused
    back = parameter(distribution(one))
    if isinstance(one, Categorical):
        assert back.values() == tuple(one.texts)
        assert as_read(SearchSpace({"x": one}), as_drawn(SearchSpace({"x": one}), {"x": one.choices[0]})) == {
            "x": one.choices[0]
        }
    else:
        assert (back.low, back.log, back.step) == (one.low, one.log, one.step)
        assert back.high == pytest.approx(one.high if one.values() is None else one.values()[-1])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no parameter"),
        ({"x": {"type": "double", "low": 0, "high": 1}}, "'x' is of type 'double'; there are: float, int, categorical"),
        ({"x": {"type": "float", "low": 1, "high": 1}}, "low=1.0 is not below high=1.0"),
        ({"x": {"type": "float", "low": 0, "high": 1, "log": True}}, "has no logarithm"),
        ({"x": {"type": "float", "low": 0, "high": float("inf")}}, "not finite"),
        ({"x": {"type": "float", "low": 0, "high": 1, "step": 2}}, "step=2.0"),
        ({"x": {"type": "float", "low": 0, "hihg": 1}}, "hihg"),
        ({"x": {"type": "int", "low": 0.5, "high": 2}}, "low=0.5 is no whole number"),
        ({"x": {"type": "categorical", "choices": []}}, "needs choices"),
        ({"x": {"type": "categorical", "choices": [1, "1"]}}, "do not differ"),
        ({"a.b": {"type": "int", "low": 0, "high": 2}, "a": {"type": "int", "low": 0, "high": 2}}, "lies inside 'a'"),
        ({"a..b": {"type": "int", "low": 0, "high": 2}}, "empty between its dots"),
        ({"x": {"type": "int", "low": 0, "high": 2, "when": {"parameter": "y", "values": [1]}}}, "no parameter of"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused_with_its_reason(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        SearchSpace.parse(fields)


def test_conditions_that_wait_for_each_other_or_never_hold_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="wait for each other"):
        SearchSpace({"a": Int(0, 1, when=When("b", (1,))), "b": Int(0, 1, when=When("a", (1,)))})
    with pytest.raises(InvalidSpec, match="which it never is"):
        SearchSpace({"a": Int(0, 1), "b": Int(0, 1, when=When("a", (7,)))})


CONDITIONAL = SearchSpace(
    {"momentum": Int(0, 1, when=When("optimizer", ("sgd",))), "optimizer": Categorical(("adam", "sgd"))}
)


def test_a_parameter_is_in_a_point_only_under_its_condition() -> None:
    assert list(CONDITIONAL.points()) == [
        {"optimizer": "adam"},
        {"optimizer": "sgd", "momentum": 0},
        {"optimizer": "sgd", "momentum": 1},
    ]
    CONDITIONAL.check({"optimizer": "adam"})
    with pytest.raises(InvalidSpec, match="momentum"):
        CONDITIONAL.check({"optimizer": "adam", "momentum": 1})


def test_a_grid_needs_an_end_of_values() -> None:
    with pytest.raises(InvalidSpec, match="A grid needs a step for x"):
        SearchSpace({"x": Float(0, 1)}).size()
    assert [point["x"] for point in SearchSpace({"x": Float(0, 1, step=0.25)}).points()] == [0, 0.25, 0.5, 0.75, 1]


def test_a_dotted_name_reaches_into_nested_params_and_changes_nothing_else() -> None:
    space = SearchSpace({"optimizer.momentum": Float(0, 1), "new.deep.x": Int(0, 2)})
    params = {"optimizer": {"name": "sgd", "momentum": 0.1}, "epochs": 3}
    merged = space.merged(params, {"optimizer.momentum": 0.9, "new.deep.x": 1})
    assert merged == {"optimizer": {"name": "sgd", "momentum": 0.9}, "epochs": 3, "new": {"deep": {"x": 1}}}
    assert params["optimizer"]["momentum"] == 0.1
    with pytest.raises(InvalidSpec, match="no object"):
        space.merged({"optimizer": "sgd"}, {"optimizer.momentum": 0.9})
