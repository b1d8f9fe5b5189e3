"""Each seeded fault is named first, and nothing is found in what is healthy."""

from collections.abc import Iterator

import pytest
import torch
from seaway.diagnosis import diagnose
from sick_trainings import HEALTHY, SICK


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slowed by a second one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", list(SICK))
def test_the_fault_is_named_first(name: str) -> None:
    made, fault = SICK[name]
    found = diagnose(made().subject()).faults
    assert [one.name for one in found] == [fault], found


@pytest.mark.parametrize("name", list(HEALTHY))
def test_nothing_is_found_in_a_healthy_training(name: str) -> None:
    assert diagnose(HEALTHY[name]().subject()).faults == []
