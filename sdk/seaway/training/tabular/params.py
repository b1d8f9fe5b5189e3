"""What the tabular trainer wants to know."""

from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec
from seaway.training.loop.params import LoopParams


@dataclass(frozen=True, kw_only=True)
class TabularParams(LoopParams):
    """Columns, network and optimisation; validated on construction.

    Args:
        numeric: Columns that are numbers; missing values are allowed.
        categorical: Columns that are text.
        hidden: Sizes of the hidden layers; none gives a linear model.
        embedding: Numbers that stand for one category.
        noise: Deviation of what is added to the numbers in training, in deviations of the column.
    Raises:
        InvalidSpec: as `LoopParams`, or there is nothing to learn from.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    name: str = "tabular"
    hidden: tuple[int, ...] = (128, 64)
    embedding: int = 8
    noise: float = 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.numeric, *self.categorical)

    @property
    def lists(self) -> tuple[str, ...]:
        return (*super().lists, "numeric", "categorical", "hidden")

    @property
    def counts(self) -> dict[str, Any]:
        hidden = {f"hidden[{index}]": size for index, size in enumerate(self.hidden)}
        return super().counts | {"embedding": self.embedding} | hidden

    def _check_sizes(self) -> None:
        super()._check_sizes()
        if not self.noise >= 0:
            raise InvalidSpec(f"params: noise={self.noise!r} must be 0 or more deviations of a column.")

    def _check_columns(self) -> None:
        if not self.columns:
            raise InvalidSpec("params name neither numeric nor categorical columns; there is nothing to learn from.")
        super()._check_columns()
