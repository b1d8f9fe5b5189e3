import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.models.signature import Signature, TensorSpec, encode

SIGNATURE = Signature(
    name="flights",
    inputs=(
        TensorSpec("carrier", "BYTES"),
        TensorSpec("distance", "FP32", (-1, 1), "miles"),
        TensorSpec("hour", "INT64"),
    ),
    outputs=(TensorSpec("probability", "FP32"),),
    sample={"carrier": ["UA", "AA"], "distance": [1400.0, None], "hour": [5, 23]},
)


@pytest.mark.parametrize("name", [None, 3, b"flights"])
def test_a_name_that_is_no_text_is_refused(name: Any) -> None:
    with pytest.raises(InvalidSpec, match=r"A model cannot be called .* no text"):
        Signature(name, SIGNATURE.inputs, SIGNATURE.outputs)


@given(st.lists(st.text(max_size=20), min_size=1))
def test_strings_become_the_documented_hash_whatever_holds_them(values: list[str]) -> None:
    expected = [
        int.from_bytes(hashlib.blake2b(value.encode(), digest_size=8).digest(), "little", signed=True)
        for value in values
    ]
    for held in (values, np.array(values, object), [value.encode() for value in values]):
        encoded = encode(held, "BYTES")
        assert encoded.dtype == np.int64
        assert encoded.tolist() == expected


def test_the_hash_of_a_known_string_never_changes() -> None:
    assert encode(["UA"], "BYTES").tolist() == [-5001092095243403813]  # in the vocabulary of every exported model


def test_missing_strings_are_the_empty_string() -> None:
    missing = encode(np.array([None, float("nan"), ""], object), "BYTES")
    assert len(set(missing.tolist())) == 1


@given(st.lists(st.none() | st.floats(allow_infinity=False, width=32), min_size=1))
def test_missing_floats_are_nan_and_all_others_keep_their_value(values: list[float | None]) -> None:
    encoded = encode(values, "FP32")
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(
        encoded, np.array([np.nan if value is None else value for value in values], np.float32)
    )


def test_integers_on_both_sides_of_int64s_greatest_keep_their_value() -> None:
    assert encode([0, 2**64 - 1], "UINT64").tolist() == [0, 2**64 - 1]


@pytest.mark.parametrize(
    ("values", "datatype", "reason"),
    [
        ([1, 2], "BYTES", "strings are wanted"),
        ([["a"], {"b": 1}], "BYTES", "no string|differ in length|strings are wanted"),
        (["1.5"], "FP32", "numbers are wanted"),
        ([True, None], "FP32", "numbers are wanted"),
        ([float("inf")], "FP32", "infinite"),
        ([1e300], "FP32", "infinite or beyond"),
        ([1.5], "INT64", "int64 is wanted"),
        ([None, 1], "INT64", "int64 is wanted"),
        ([2**63], "INT64", "beyond int64"),
        ([300], "UINT8", "beyond uint8"),
        ([-1], "UINT64", "beyond uint64"),
        (np.array([-1]), "UINT64", "beyond uint64"),
        ([2**64], "UINT64", "uint64 is wanted"),
        ([2**63, 1.5], "UINT64", "uint64 is wanted"),
        ([1], "BOOL", "bool is wanted"),
        ([[1.0], [1.0, 2.0]], "FP32", "differ in length"),
        (1.0, "FP32", "single value"),
        ([1.0], "FP31", "no datatype"),
    ],
)
def test_values_of_another_kind_are_refused(values: Any, datatype: str, reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        encode(values, datatype)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"carrier": ["UA"], "distance": [1.0]}, r"missing \['hour'\]"),
        ({"carrier": ["UA"], "distance": [1.0], "hour": [5], "late": [1]}, r"unknown \['late'\]"),
        ({"carrier": ["UA"], "distance": ["far"], "hour": [5]}, "'distance'.*numbers are wanted"),
        ({"carrier": ["UA"], "distance": [[1.0, 2.0]], "hour": [5]}, r"'distance'.*shape \[1, 2\]"),
        ({"carrier": ["UA", "AA"], "distance": [1.0], "hour": [5]}, "differ in rows"),
    ],
)
def test_a_wrong_request_names_the_input(columns: dict[str, list[Any]], reason: str) -> None:
    with pytest.raises(InvalidSpec, match=reason):
        SIGNATURE.encode(columns)


def test_flat_and_column_inputs_reach_the_graph_in_the_same_shape_and_order() -> None:
    flat = SIGNATURE.encode({"hour": [5, 6], "distance": np.array([1.0, np.nan]), "carrier": ["UA", "??"]})
    nested = SIGNATURE.encode({"carrier": [["UA"], ["??"]], "distance": [[1.0], [None]], "hour": [[5], [6]]})
    assert list(flat) == ["carrier", "distance", "hour"]
    for name, array in flat.items():
        assert array.shape == (2, 1)
        np.testing.assert_array_equal(array, nested[name])


def test_a_signature_survives_its_file(tmp_path: Path) -> None:
    SIGNATURE.write(tmp_path)
    assert Signature.read(tmp_path) == SIGNATURE
    assert json.loads((tmp_path / "signature.json").read_text())["sample"]["distance"] == [1400.0, None]


@pytest.mark.parametrize("broken", [{}, [], {"name": "x", "inputs": [{"name": "a"}], "outputs": []}, {"name": "x"}])
def test_what_is_no_signature_is_refused(broken: Any) -> None:
    with pytest.raises(InvalidSpec):
        Signature.from_json(broken)


@pytest.mark.parametrize(
    "spec",
    [
        ("a", "FP32", (1,)),
        ("a", "FP32", ()),
        ("a", "FP32", (-1, -2)),
        ("a", "FP32", (-1, 1 << 40)),
        ("", "FP32", (-1,)),
        ("a", "X", (-1,)),
    ],
)
def test_impossible_tensors_are_refused(spec: tuple[str, str, tuple[int, ...]]) -> None:
    with pytest.raises(InvalidSpec):
        TensorSpec(*spec)


def test_encoding_needs_no_torch() -> None:
    code = "import sys, seaway.models.signature; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
