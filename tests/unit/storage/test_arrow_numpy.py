"""Columns of Arrow become the arrays that numpy would have made of their values."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.storage.arrow_numpy import numbers, plain_numpy

TEXTS = st.lists(st.none() | st.text(max_size=3), max_size=20)
CHUNKED = pa.chunked_array([pa.array([9.0, 1.0, 2.0])[1:], [None], [3.0]])


@given(TEXTS, TEXTS, st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]))
def test_texts_are_what_they_were_a_missing_one_none(one: Any, other: Any, kind: pa.DataType) -> None:
    column = pa.chunked_array([pa.array(one).cast(kind), pa.array(other).cast(kind)], kind)
    assert plain_numpy(column).tolist() == one + other
    assert plain_numpy(column[1:]).tolist() == (one + other)[1:]


def test_a_text_of_many_rows_is_made_once() -> None:
    first, second = plain_numpy(pa.chunked_array([["so it is"], ["so it is"]]))
    assert first is second


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.decimal128(5, 2)])
def test_numbers_are_float64_a_missing_one_nan(kind: pa.DataType) -> None:
    found = numbers(CHUNKED.cast(kind))
    np.testing.assert_array_equal(found, [1.0, 2.0, np.nan, 3.0])
    assert found.dtype == np.float64
    np.testing.assert_array_equal(numbers(CHUNKED.cast(kind)[:2]), [1.0, 2.0])


def test_a_column_without_rows_is_an_array_without_rows() -> None:
    assert plain_numpy(pa.chunked_array([], pa.string())).shape == (0,)
    assert plain_numpy(pa.chunked_array([], pa.float32())).shape == (0,)
