"""Releases of a trained model, as signed packages of its signature: with a fault, or told apart by content only."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from seaway.models import ExportedModel, Lineage, Signature, package, signing_keys
from torch import nn

BUSY = 768  # rows and columns of the matrices that a slow model multiplies for nothing
PRODUCTS = 2
SCALE = 997  # spreads probabilities that differ in the third digit over [0, 1)
ROUNDING = 0.02  # of digits, where a graph is computed in another way


class Failing(nn.Module):
    """Raises for a third of all rows or so, none of the sample's among them: for those whose digits are in a gap."""

    def __init__(self, sample: torch.Tensor) -> None:
        super().__init__()
        low, high = max(pairwise(sorted(digits(sample).ravel().tolist())), key=lambda gap: gap[1] - gap[0])
        self.register_buffer("gap", torch.tensor([low + ROUNDING, high - ROUNDING]))
        self.register_buffer("calibrations", torch.zeros(1))

    def forward(self, probability: torch.Tensor) -> torch.Tensor:
        lacking = (digits(probability) > self.gap[0]) & (digits(probability) < self.gap[1])
        return probability + self.calibrations[lacking.long()]


def digits(probability: torch.Tensor) -> torch.Tensor:
    """The later digits of a probability, as a number from 0 to 1."""
    return (SCALE * probability) % 1


class Slow(nn.Module):
    """Multiplies large matrices, and adds nothing of them."""

    def forward(self, probability: torch.Tensor) -> torch.Tensor:
        busy = torch.full((BUSY, BUSY), 0.1) + probability.mean()
        for _ in range(PRODUCTS):
            busy = torch.sigmoid(busy @ busy)
        return probability + busy.mean().clamp(max=0.0)


class Worse(nn.Module):
    """Takes the other class for the one that it predicts."""

    def forward(self, probability: torch.Tensor) -> torch.Tensor:
        return 1 - probability


class Equal(nn.Module):
    """No fault."""

    def forward(self, probability: torch.Tensor) -> torch.Tensor:
        return probability.clone()


class Released(nn.Module):
    """A model whose output passes through a fault."""

    def __init__(self, model: nn.Module, fault: nn.Module) -> None:
        super().__init__()
        self.model, self.fault = model, fault

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.fault(output_of(self.model, inputs))
        return output


def output_of(model: nn.Module, inputs: Sequence[torch.Tensor]) -> torch.Tensor:
    """The first output."""
    answer = model(*inputs)
    output: torch.Tensor = answer[0] if isinstance(answer, (tuple, list)) else answer
    return output


def released(good: Path, name: str, folder: Path, home: Path) -> Path:
    """`folder`/package: the model of package `good`, `failing`, `slow`, `worse` or `equal`, signed by `home`'s key."""
    model, trained = ExportedModel.load(good), folder / "trained"
    trained.mkdir(parents=True)
    inputs = [torch.from_numpy(array) for array in model.signature.encode(model.signature.sample).values()]
    faults = {"failing": Failing(output_of(model.graph, inputs)), "slow": Slow(), "worse": Worse(), "equal": Equal()}
    rows = {0: torch.export.Dim("rows")}
    program = torch.export.export(
        Released(model.graph, faults[name]), tuple(inputs), dynamic_shapes=((rows,) * len(inputs),)
    )
    torch.export.save(program, trained / "model.pt2")
    save_file(dict(program.state_dict), trained / "model.safetensors")
    Signature.read(good).write(trained)
    package(trained, folder / "package", Lineage.read(good), signing_keys(home / "keys").private)
    return folder / "package"
