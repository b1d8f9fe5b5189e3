import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.monitoring import ArmCounts

counts = st.integers(0, 1000)


@given(counts, counts, counts, counts)
def test_counts_of_a_period_are_the_difference_of_its_ends(requests: int, errors: int, more: int, failed: int) -> None:
    before = ArmCounts(requests + errors, errors, {0.01: requests, float("inf"): requests + errors})
    after = ArmCounts(
        before.requests + more + failed,
        errors + failed,
        {0.01: requests + more, float("inf"): before.requests + more + failed},
    )
    period = after - before
    assert (period.requests, period.errors, period.latency[0.01]) == (more + failed, failed, more)


def test_a_source_that_was_reset_is_no_measurement() -> None:
    with pytest.raises(InvalidSpec):
        ArmCounts(10, 0, {1.0: 10}) - ArmCounts(20, 5, {1.0: 20})


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(InvalidSpec, match="errors"):
        ArmCounts(1, 2, {})
    with pytest.raises(InvalidSpec, match="cumulative"):
        ArmCounts(5, 0, {0.1: 5, 0.2: 3})
