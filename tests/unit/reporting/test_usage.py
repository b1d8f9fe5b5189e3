"""What steps used, and what it costs by a list of prices."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.reporting.usage import Prices, Usage

PRICES = Prices("EUR", cpu_hour=0.04, gib_hour=0.01, gpu_hour=2.0)
AMOUNTS = st.floats(0, 1e6)
SOME = st.builds(Usage, AMOUNTS | st.none(), AMOUNTS | st.none(), AMOUNTS, AMOUNTS, AMOUNTS)


def test_a_step_costs_what_it_asks_for_or_uses_where_that_is_more() -> None:
    hour = 3600.0
    asked = Usage(cpu_seconds=hour, memory_gib=1.0, asked_cpu=4, asked_memory_gib=8, asked_gpus=2)
    assert PRICES.cost(asked, hour) == pytest.approx(4 * 0.04 + 8 * 0.01 + 2 * 2.0)
    used = Usage(cpu_seconds=6 * hour, memory_gib=10.0, asked_cpu=4, asked_memory_gib=8)
    assert PRICES.cost(used, hour) == pytest.approx(6 * 0.04 + 10 * 0.01)


def test_what_is_not_known_has_no_cost_and_is_no_nothing() -> None:
    assert PRICES.cost(None, 5.0) is None
    assert PRICES.cost(Usage(), None) is None
    assert PRICES.cost(Usage(), 5.0) == 0.0
    assert PRICES.total([(None, 5.0), (Usage(cpu_seconds=3600), 1.0)]) == pytest.approx(0.04)


@given(SOME, st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_of_anything_never_costs_less(usage: Usage, seconds: float, more: float) -> None:
    cost = PRICES.cost(usage, seconds)
    longer = PRICES.cost(usage, seconds + more)
    again = PRICES.cost(usage.more(more, more), seconds)
    assert cost is not None and longer is not None and again is not None
    assert 0 <= cost <= longer * (1 + 1e-9) and cost <= again * (1 + 1e-9)


@given(SOME)
def test_a_usage_is_read_as_it_was_written(usage: Usage) -> None:
    again = Usage.read(usage.plain()) or Usage()
    assert {name: value or 0.0 for name, value in vars(again).items()} == {n: v or 0.0 for n, v in vars(usage).items()}


def test_attempts_add_their_processors_and_keep_the_highest_peak() -> None:
    both = Usage(asked_cpu=2).more(3.0, 1.5).more(4.0, 0.5)
    assert both == Usage(cpu_seconds=7.0, memory_gib=1.5, asked_cpu=2)


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"currency": "EUR"}, "none of cpu_hour"),
        ({"currency": "EUR", "cpu_hour": -1}, "cpu_hour=-1"),
        ({"currency": "EUR", "cpu_hour": math.nan}, "cpu_hour=nan"),
        ({"currency": "EUR", "gpu_hour": "2"}, "gpu_hour='2'"),
        ({"currency": "EUR", "gpu_hour": True}, "gpu_hour=True"),
        ({"currency": "two words", "gpu_hour": 1}, "currency"),
        ({"currency": 5, "gpu_hour": 1}, "currency"),
    ],
)
def test_prices_that_cannot_be_meant_are_refused(given_: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidSpec, match=says):
        Prices(**given_)  # type: ignore[arg-type]


@pytest.mark.parametrize(("amount", "text"), [(0.0, "0.00 EUR"), (0.00123, "0.0012 EUR"), (1234.5, "1,234.50 EUR")])
def test_an_amount_is_told_with_its_currency(amount: float, text: str) -> None:
    assert PRICES.text(amount) == text
