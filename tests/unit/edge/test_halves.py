"""64-bit integers as pairs: equal and in order exactly where the integers are."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from seaway.edge.halves import Halves, equal, less, split

WIDE = st.integers(-(2**63), 2**63 - 1)


def pair(value: int) -> Halves:
    high, low = split(np.array([value], np.int64))
    return Halves(torch.from_numpy(high), torch.from_numpy(low))


@given(WIDE, WIDE)
@example(2**32, 0)  # which differ in the upper half only
@example(-1, 2**32 - 1)  # in the lower half alike
@example(2**31, 2**31 - 1)
@example(-(2**63), 2**63 - 1)
def test_pairs_compare_as_their_integers_do(left: int, right: int) -> None:
    assert bool(equal(pair(left), pair(right))) == (left == right)
    assert bool(less(pair(left), pair(right))) == (left < right)


@given(WIDE)
def test_a_number_is_the_pair_of_its_halves(value: int) -> None:
    assert bool(equal(Halves.of(value), pair(value)))


@pytest.mark.parametrize("value", [0, 5, -5, 2**31 - 1, -(2**31)])
def test_a_small_tensor_becomes_the_same_pair(value: int) -> None:
    assert bool(equal(Halves.of(torch.tensor([value])), pair(value)))
