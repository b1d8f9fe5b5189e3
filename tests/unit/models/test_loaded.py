"""Lists of any length, answered without padding."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.model_server.handler import OpenInferenceHandler
from seaway.model_server.request_arrays import request_arrays
from seaway.models import LoadedModel, Signature, TensorSpec
from seaway.serving.feature_log import _kept
from seaway.serving.protocol.request import read_request

SIGNATURE = Signature(
    "lists",
    (TensorSpec("tokens", "INT64", (-1, -1)), TensorSpec("pairs", "FP32", (-1, -1, 2)), TensorSpec("one", "FP32")),
    (TensorSpec("sum", "FP64", (-1, 2)),),
    {"tokens": [[1, 2], [3]], "pairs": [[[1, 2]], [[3, 4], [5, 6]]], "one": [1.0, None]},
)


def answer(arrays: Sequence[Any]) -> list[Any]:
    """The mean of the tokens, which padding would change, and the sum of all else."""
    tokens, pairs, one = arrays
    assert len({len(array) for array in arrays}) == 1
    return [np.stack([tokens.mean(1), pairs.sum((1, 2)) + np.nan_to_num(one[:, 0])], 1).astype(np.float64)]


ROWS = st.lists(
    st.tuples(st.lists(st.integers(-9, 9), min_size=1, max_size=4), st.integers(1, 3), st.floats(-9, 9, width=16)),
    min_size=1,
    max_size=8,
)


def columns(rows: list[tuple[list[int], int, float]]) -> dict[str, Any]:
    return {
        "tokens": [row[0] for row in rows],
        "pairs": [[[float(row[1]), 1.0]] * row[1] for row in rows],
        "one": [row[2] for row in rows],
    }


@given(ROWS)
def test_a_row_gets_the_same_answer_alone_and_among_others_in_its_own_place(
    rows: list[tuple[list[int], int, float]],
) -> None:
    model = LoadedModel(SIGNATURE, answer)
    together = model.predict(columns(rows))["sum"]
    alone = np.concatenate([model.predict(columns([row]))["sum"] for row in rows])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(together[:, 0], [np.mean(row[0]) for row in rows])


@given(ROWS)
def test_requests_of_several_lengths_are_answered_together_by_the_handler(
    rows: list[tuple[list[int], int, float]],
) -> None:
    handler = OpenInferenceHandler()
    handler.signature, handler.answers = SIGNATURE, answer
    requests = [read_request(body([row]), SIGNATURE) for row in rows]
    given_ = handler._pass(requests)
    expected = LoadedModel(SIGNATURE, answer).predict(columns(rows))["sum"]
    np.testing.assert_array_equal(np.concatenate([outputs[0] for outputs in given_]), expected)


def body(rows: list[tuple[list[int], int, float]]) -> dict[str, Any]:
    named = columns(rows)
    return {
        "inputs": [
            {"name": spec.name, "datatype": spec.datatype, "data": named[spec.name],
             "shape": list(np.array(named[spec.name]).shape)}
            for spec in SIGNATURE.inputs
        ]
    }  # fmt: skip


def test_flat_data_of_a_request_are_lists_by_their_shape() -> None:
    flat = body([([1, 2, 3], 1, 0.0), ([4, 5, 6], 1, 0.0)])
    flat["inputs"][0]["data"] = [1, 2, 3, 4, 5, 6]
    read = read_request(flat, SIGNATURE)
    assert read.columns["tokens"] == [[1, 2, 3], [4, 5, 6]]
    assert [row.tolist() for row in request_arrays(SIGNATURE, [read.columns])["tokens"]] == [[1, 2, 3], [4, 5, 6]]
    assert _kept(SIGNATURE.inputs[1], [[[1.0, 2.0], [3.0, 4.0]]]) == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("tokens", [[[]], [1], [[[1]]], [["a"]]])
def test_what_is_no_list_of_the_input_is_refused(tokens: list[Any]) -> None:
    with pytest.raises(InvalidSpec, match="tokens"):
        SIGNATURE.encode({"tokens": tokens, "pairs": [[[1, 2]]], "one": [1.0]})


def test_outputs_have_fixed_sizes() -> None:
    with pytest.raises(InvalidSpec, match="only inputs are"):
        Signature("m", (TensorSpec("a", "FP32"),), (TensorSpec("b", "FP32", (-1, -1)),))


def test_strings_reach_other_flavours_as_they_are() -> None:
    signature = Signature("m", (TensorSpec("a", "BYTES"),), (TensorSpec("b", "FP32"),), strings="text")
    assert signature.encode({"a": ["é", None, b"x"]})["a"].ravel().tolist() == ["é", "", "x"]
