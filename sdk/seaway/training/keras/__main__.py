"""`python -m seaway.training.keras --spec spec.json`, on each process of a training."""

from collections.abc import Sequence

from torch import nn

from seaway.training.command_line import start
from seaway.training.keras.network import KerasNetwork, keras_on_torch
from seaway.training.keras.params import KerasParams
from seaway.training.spec import TrainSpec
from seaway.training.tabular.program import train_table


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Train and write the output contract."""
    params = KerasParams.parse(spec.params)

    def made(sizes: Sequence[int], width: int) -> nn.Module:
        keras_on_torch().utils.set_random_seed(spec.seed)
        return KerasNetwork(sizes, params, width)

    train_table(spec, fingerprint, params, made)  # not made again: Keras numbers the layers of a second one anew


if __name__ == "__main__":
    start(main, "Train a network of Keras; started once a process by torchrun.")
