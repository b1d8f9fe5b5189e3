"""The shared loop: accumulated parts are one step, and a seed makes an epoch whatever came before."""

from dataclasses import dataclass, replace

import pytest
import torch
from seaway import tasks
from seaway.training.loop.epochs import Data, adamw, train_epoch, validate
from seaway.training.loop.params import LoopParams
from seaway.training.loop.process_group import Worker
from seaway.training.loop.program import tell_constant
from torch import Tensor, nn

ALONE = Worker(0, 1, torch.device("cpu"))


@dataclass(frozen=True, kw_only=True)
class Params(LoopParams):
    @property
    def columns(self) -> tuple[str, ...]:
        return ("x",)


@dataclass(frozen=True)
class Rows:
    x: Tensor
    labels: Tensor

    def batch(self, rows: Tensor, training: bool) -> tuple[Tensor, ...]:
        return (self.x[rows],)


def data(rows: int) -> Data:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn((rows, 3), generator=generator)
    made = Rows(x, (x.sum(1) > 0).float())
    return Data(made, made, tasks.of(tasks.Target("binary", "y")))


def trained(params: Params, epochs: int = 2, dropout: float = 0.0, first: int = 1) -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))
    optimizer = adamw(network, params)
    for epoch in range(first, first + epochs):
        train_epoch(network, optimizer, data(37), params, 3, epoch, ALONE)
    return network


@pytest.mark.parametrize("column", [torch.ones(9), torch.zeros(9, dtype=torch.int64), torch.zeros(9, 2)])
def test_labels_that_are_all_one_are_told(column: Tensor, caplog: pytest.LogCaptureFixture) -> None:
    tell_constant(data(37))
    assert not caplog.text
    same = Rows(torch.zeros(9, 3), column)
    tell_constant(replace(data(37), train=same))
    assert "All 9 training rows have the same label y" in caplog.text


def weights(network: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


@pytest.mark.parametrize("parts", [2, 3, 16])
def test_a_step_in_parts_is_the_step_as_a_whole(parts: int) -> None:
    whole = Params(label="y", batch_size=16)
    torch.testing.assert_close(weights(trained(replace(whole, accumulate=parts))), weights(trained(whole)))


def test_an_epoch_draws_its_own_random_numbers() -> None:
    params = Params(label="y", batch_size=16)
    torch.manual_seed(99)
    one = weights(trained(params, dropout=0.5))
    assert torch.equal(one, weights(trained(params, dropout=0.5)))
    assert not torch.equal(one, weights(trained(params, dropout=0.5, first=2)))


def test_validation_in_parts_is_that_of_all_rows() -> None:
    network = trained(Params(label="y"))
    whole, parts = (validate(network, data(37), ALONE, at_once) for at_once in (100, 5))
    assert whole == pytest.approx(parts)


def test_mixed_precision_needs_a_gpu_and_is_full_elsewhere() -> None:
    params = Params(label="y", batch_size=16)
    assert torch.equal(weights(trained(replace(params, precision="mixed"))), weights(trained(params)))
