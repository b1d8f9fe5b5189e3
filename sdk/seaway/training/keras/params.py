"""What the trainer of Keras' networks wants to know."""

from dataclasses import dataclass

from seaway.errors import InvalidSpec
from seaway.training.tabular.params import TabularParams


@dataclass(frozen=True, kw_only=True)
class KerasParams(TabularParams):
    """Columns, the file with the network, and optimisation; validated on construction.

    Args:
        network: Path of a Python file with a function `network(columns, categories, outputs)`; relative ones to the
            folder that the run was started in.
    Raises:
        InvalidSpec: as `TabularParams`, or no file is named, or what is the file's to say is said.
    """

    network: str = ""
    name: str = "keras"
    hidden: tuple[int, ...] = ()

    def _check_sizes(self) -> None:
        super()._check_sizes()
        if not self.network:
            raise InvalidSpec("params name no network; give the path of the Python file that has it.")
        if self.hidden:
            raise InvalidSpec("params: hidden layers are for the network's file to make.")
        if self.parallel != "ddp":
            raise InvalidSpec(f"params: parallel={self.parallel!r} cannot divide Keras' layers; take 'ddp'.")
