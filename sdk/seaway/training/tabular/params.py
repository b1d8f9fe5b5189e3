"""What the tabular trainer wants to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class TabularParams:
    """Columns, network and optimisation; validated on construction.

    Args:
        numeric: Columns that are numbers; missing values are allowed.
        categorical: Columns that are text.
        label: Column of 0 and 1, the probability of 1 is predicted.
        name: Name of the model in its signature.
        units: Unit by column, written into the signature.
        hidden: Sizes of the hidden layers; none gives a linear model.
        embedding: Numbers that stand for one category.
        epochs: Passes over the data, at most.
        batch_size: Rows a step, over all processes together.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Of AdamW.
        patience: Epochs without a better validation loss before training stops.
    Raises:
        InvalidSpec: a value is out of range, or a column has two roles.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    label: str = "late"
    name: str = "tabular"
    units: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[int, ...] = (128, 64)
    embedding: int = 8
    epochs: int = 6
    batch_size: int = 2048
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    patience: int = 2

    def __post_init__(self) -> None:
        for name in ("numeric", "categorical", "hidden"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        columns = [*self.numeric, *self.categorical, self.label]
        if len(columns) == 1:
            raise InvalidSpec("params name neither numeric nor categorical columns; there is nothing to learn from.")
        if twice := sorted({name for name in columns if columns.count(name) > 1}):
            raise InvalidSpec(f"params name {', '.join(twice)} twice; a column has one role.")
        for name in ("embedding", "epochs", "batch_size", "learning_rate", "patience"):
            if not getattr(self, name) > 0:
                raise InvalidSpec(f"params: {name}={getattr(self, name)} must be above 0.")
        if any(size < 1 for size in self.hidden) or self.weight_decay < 0:
            raise InvalidSpec(f"params: hidden={self.hidden} and weight_decay={self.weight_decay} are negative.")

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "TabularParams":
        """Params from JSON values. Raises: InvalidSpec: a name is unknown or missing, or a value is of another kind."""
        known = [entry.name for entry in fields(cls)]
        if unknown := sorted(set(params) - set(known)):
            raise InvalidSpec(f"Unknown training parameter {', '.join(unknown)}; there are: {', '.join(known)}.")
        try:
            return cls(**{"numeric": (), "categorical": (), **params})
        except TypeError as error:
            raise InvalidSpec(f"A training parameter is of the wrong kind: {error}.") from error
