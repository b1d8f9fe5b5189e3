"""Each seeded fault is named first, and nothing is found in what is healthy."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from seaway.diagnosis import Subject, diagnose
from seaway.errors import InvalidSpec
from sick_trainings import HEALTHY, SICK, digits
from torch.utils.data import DataLoader


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


def test_a_batch_that_holds_no_tensors_is_refused() -> None:
    made = digits().subject()
    rows = [{"tokens": torch.zeros(3), "label": 1}] * 8
    loader: DataLoader[Any] = DataLoader(rows, 4)  # type: ignore[arg-type]
    with pytest.raises(InvalidSpec, match="pair of inputs and labels, not dict"):
        diagnose(Subject.of_loaders(made.network, made.loss, made.optimizer, loader, loader))
    pairs: DataLoader[Any] = DataLoader([({"tokens": torch.zeros(3)}, 1)] * 8, 4)  # type: ignore[arg-type]
    with pytest.raises(InvalidSpec, match="are tensors, not dict, Tensor"):
        diagnose(Subject.of_loaders(made.network, made.loss, made.optimizer, pairs, pairs))
