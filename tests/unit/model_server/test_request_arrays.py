"""Inputs of a kind are converted together, and nobody can tell it from their arrays."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.model_server.request_arrays import request_arrays
from seaway.models import Signature, TensorSpec

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "BYTES": st.none() | st.text(max_size=3),
    "BOOL": st.booleans(),
    "INT8": st.integers(-128, 127),
    "UINT64": st.integers(0, 2**64 - 1),
    "FP16": st.none() | st.floats(-9, 9, width=16),
    "FP32": st.none() | st.integers(-9, 9) | st.floats(-9, 9, width=32),
    "FP64": st.none() | st.floats(allow_infinity=False),
}
SIGNATURE = Signature(
    "kinds",
    (
        *(TensorSpec(f"{kind}-{place}", kind) for place in range(3) for kind in KINDS),
        TensorSpec("flat", "FP32", (-1,)),
        TensorSpec("pair", "FP32", (-1, 2)),
        *(TensorSpec(f"list-{place}", "INT8", (-1, -1, -1)) for place in range(2)),
    ),
    (TensorSpec("out", "FP32"),),
)


@st.composite
def requests(draw: st.DrawFn) -> list[dict[str, list[Any]]]:
    """Columns of several requests, flat, or a list a row."""
    made = []
    for rows in draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)):
        columns = {}
        for spec in SIGNATURE.inputs:
            one = KINDS[spec.datatype]
            one = st.lists(one, min_size=1, max_size=3).map(lambda row: [row]) if spec.is_list else one
            count = rows * (2 if spec.name == "pair" else 1)
            columns[spec.name] = draw(st.lists(one, min_size=count, max_size=count))
        made.append(columns)
    return made


def alone(asked: list[dict[str, list[Any]]]) -> dict[str, Any]:
    """Each request and each input by itself, as the codec of trainings encodes it."""
    found: dict[str, list[Any]] = {spec.name: [] for spec in SIGNATURE.inputs}
    for columns in asked:
        for spec in SIGNATURE.inputs:
            values: Any = columns[spec.name]
            nested = (
                values if spec.name != "pair" else [values[place : place + 2] for place in range(0, len(values), 2)]
            )
            found[spec.name].append(SIGNATURE.encode_input(spec, nested))
    return {name: np.concatenate(parts) for name, parts in found.items()}


@given(requests())
def test_arrays_are_those_of_each_input_and_each_request_alone(asked: list[dict[str, list[Any]]]) -> None:
    together, expected = request_arrays(SIGNATURE, asked), alone(asked)
    assert list(together) == [spec.name for spec in SIGNATURE.inputs]
    for spec in SIGNATURE.inputs:
        if spec.is_list:
            assert [row.tolist() for row in together[spec.name]] == [row.tolist() for row in expected[spec.name]]
            continue
        assert together[spec.name].dtype == spec.dtype
        np.testing.assert_array_equal(together[spec.name], expected[spec.name])


@pytest.mark.parametrize(("name", "value"), [("FP32-1", math.inf), ("INT8-2", 128), ("FP64-0", 10**400)])
def test_a_value_that_does_not_fit_is_told_by_its_own_input(name: str, value: object) -> None:
    columns: dict[str, list[Any]] = {
        spec.name: ["a"] if spec.datatype == "BYTES" else [True] if spec.datatype == "BOOL" else [1]
        for spec in SIGNATURE.inputs
    }
    columns |= {"pair": [1, 2], "list-0": [[[1]]], "list-1": [[[1]]], name: [value]}
    with pytest.raises(InvalidSpec, match=name):
        request_arrays(SIGNATURE, [columns])


def test_a_large_integer_becomes_the_same_number_whatever_its_neighbours_are() -> None:
    """float32 of it depends on whether float64 was between: the neighbour's fraction must not decide that."""
    signature = Signature("one", (TensorSpec("x", "FP32"),), (TensorSpec("out", "FP32"),))
    large = 2**60 + 2**36 + 1
    among = request_arrays(signature, [{"x": [large]}, {"x": [0.5]}])["x"][0]
    assert among == request_arrays(signature, [{"x": [large]}])["x"][0]
