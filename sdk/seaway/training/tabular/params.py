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
        label: Column of what is predicted.
        task: What it means to predict it: `binary`, `multiclass`, `multilabel`, `regression`, or that of another wheel.
        classes: Names of the classes in the order of the answer's values; none takes those that the labels have.
        name: Name of the model in its signature.
        units: Unit by column, written into the signature.
        hidden: Sizes of the hidden layers; none gives a linear model.
        embedding: Numbers that stand for one category.
        epochs: Passes over the data, at most.
        batch_size: Rows a step, over all processes together.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Of AdamW.
        patience: Epochs without a better validation loss before training stops.
        parallel: `ddp` (each process has all weights) or `fsdp` (each has its part, for what does not fit one GPU).
    Raises:
        InvalidSpec: a value is out of range, or a column has two roles.
    """

    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    label: str
    task: str = "binary"
    classes: tuple[str, ...] = ()
    name: str = "tabular"
    units: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[int, ...] = (128, 64)
    embedding: int = 8
    epochs: int = 6
    batch_size: int = 2048
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    patience: int = 2
    parallel: str = "ddp"

    def __post_init__(self) -> None:
        for name in ("numeric", "categorical", "hidden", "classes"):
            object.__setattr__(self, name, _tuple(name, getattr(self, name)))
        self._check_columns()
        self._check_sizes()

    def _check_columns(self) -> None:
        if not self.label:
            raise InvalidSpec("params name no label; give the column that is to be predicted.")
        columns = [*self.numeric, *self.categorical, self.label]
        if len(columns) == 1:
            raise InvalidSpec("params name neither numeric nor categorical columns; there is nothing to learn from.")
        if twice := sorted({name for name in columns if columns.count(name) > 1}):
            raise InvalidSpec(f"params name {', '.join(twice)} twice; a column has one role.")

    def _check_sizes(self) -> None:
        counts = {name: getattr(self, name) for name in ("embedding", "epochs", "batch_size", "patience")}
        counts |= {f"hidden[{index}]": size for index, size in enumerate(self.hidden)}
        for name, value in counts.items():
            if not isinstance(value, int) or value < 1:
                raise InvalidSpec(f"params: {name}={value!r} must be a whole number of at least 1.")
        if self.parallel not in ("ddp", "fsdp"):
            raise InvalidSpec(f"params: parallel={self.parallel!r} is neither 'ddp' nor 'fsdp'.")
        if not self.learning_rate > 0 or not self.weight_decay >= 0:
            raise InvalidSpec(
                f"params: learning_rate={self.learning_rate} must be above 0 and "
                f"weight_decay={self.weight_decay} not below it."
            )

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> "TabularParams":
        """Params from JSON values. Raises: InvalidSpec: a name is unknown or missing, or a value is of another kind."""
        known = [entry.name for entry in fields(cls)]
        if unknown := sorted(set(params) - set(known)):
            raise InvalidSpec(f"Unknown training parameter {', '.join(unknown)}; there are: {', '.join(known)}.")
        try:
            return cls(**{"numeric": (), "categorical": (), "label": "", **params})
        except (TypeError, ValueError) as error:
            raise InvalidSpec(f"A training parameter is of the wrong kind: {error}.") from error


def _tuple(name: str, values: Any) -> tuple[Any, ...]:
    if isinstance(values, str):
        raise InvalidSpec(f"params: {name}={values!r} is one text; give a list.")
    return tuple(values)
