"""`python -m seaway.training.tabular --spec spec.json`, on each process of a training."""

from collections.abc import Sequence

import torch
from torch import nn

from seaway.training.command_line import start
from seaway.training.spec import TrainSpec
from seaway.training.tabular.network import TabularNetwork
from seaway.training.tabular.params import TabularParams
from seaway.training.tabular.program import train_table


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract."""
    params = TabularParams.parse(spec.params)

    def again(sizes: Sequence[int], width: int) -> nn.Module:
        return TabularNetwork(sizes, params, width)

    def made(sizes: Sequence[int], width: int) -> nn.Module:
        torch.manual_seed(spec.seed)
        return again(sizes, width)

    train_table(spec, fingerprint, params, made, again)


if __name__ == "__main__":
    start(main, "Train the tabular model; started once a process by torchrun.")
