"""What every bundled trainer wants to know: the label, the task, the optimisation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from seaway.errors import InvalidSpec
from seaway.training.loop.teacher_params import TeacherParams


@dataclass(frozen=True, kw_only=True)
class LoopParams:
    """Params of a trainer are these and its own.

    Args:
        label: Column of what is predicted.
        task: What it means to predict it: `binary`, `multiclass`, `multilabel`, `regression`, or that of another wheel.
        classes: Names of the classes in the order of the answer's values; none takes those that the labels have.
        name: Name of the model in its signature.
        units: Unit by column, written into the signature.
        epochs: Passes over the data, at most.
        batch_size: Rows a step, over all processes together.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Of AdamW.
        patience: Epochs without a better validation loss before training stops.
        parallel: How processes divide the network: `ddp` (each has all weights) or `fsdp` (its part of each) with rows
            of their own; `tensor` (its part of pairs of linear layers) or `pipeline` (a stage) with the same rows.
        precision: `full`, or `mixed`: bfloat16 where there is a GPU; weights and validation stay float32.
        accumulate: Parts of a step's rows that go through the network one after the other, for what does not fit, and
            so that the stages of a pipeline have work at the same time.
        teacher: What is learned from another model's answers, see `TeacherParams`; `distil_model` gives it.
    Raises:
        InvalidSpec: a value is out of range, or a column has two roles.
    """

    label: str
    task: str = "binary"
    classes: tuple[str, ...] = ()
    name: str = "model"
    units: Mapping[str, str] = field(default_factory=dict)
    epochs: int = 6
    batch_size: int = 2048
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    patience: int = 2
    parallel: str = "ddp"
    precision: str = "full"
    accumulate: int = 1
    teacher: TeacherParams | None = None

    def __post_init__(self) -> None:
        if isinstance(self.teacher, Mapping):
            object.__setattr__(self, "teacher", TeacherParams.parse(self.teacher))
        for name in self.lists:
            object.__setattr__(self, name, _tuple(name, getattr(self, name)))
        if not self.label:
            raise InvalidSpec("params name no label; give the column that is to be predicted.")
        self._check_columns()
        self._check_sizes()

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are learned from."""
        raise NotImplementedError

    @property
    def scored_at_once(self) -> int:
        """Rows of one call in validation, which bounds its memory."""
        return 1 << 15

    @property
    def lists(self) -> tuple[str, ...]:
        """Names of the params that are lists."""
        return ("classes",)

    @property
    def counts(self) -> dict[str, Any]:
        """The params that have to be whole numbers of at least 1."""
        return {name: getattr(self, name) for name in ("epochs", "batch_size", "patience", "accumulate")}

    def _check_columns(self) -> None:
        columns = [*self.columns, self.label]
        if strange := [name for name in columns if not isinstance(name, str)]:
            raise InvalidSpec(f"params name the column {strange[0]!r}; a column is named by text.")
        if twice := sorted({name for name in columns if columns.count(name) > 1}):
            raise InvalidSpec(f"params name {', '.join(twice)} twice; a column has one role.")

    def _check_sizes(self) -> None:
        for name, value in self.counts.items():
            if not isinstance(value, int) or value < 1:
                raise InvalidSpec(f"params: {name}={value!r} must be a whole number of at least 1.")
        for name, known in (("parallel", ("ddp", "fsdp", "tensor", "pipeline")), ("precision", ("full", "mixed"))):
            if getattr(self, name) not in known:
                raise InvalidSpec(f"params: {name}={getattr(self, name)!r} is none of {', '.join(known)}.")
        if self.parallel == "pipeline" and self.precision == "mixed":
            raise InvalidSpec("params: precision='mixed' is not for parallel='pipeline', whose stages tell float32.")
        if self.parallel == "pipeline" and self.teacher:
            raise InvalidSpec("params: parallel='pipeline' is not for a student, whose stages know the labels only.")
        if not self.learning_rate > 0 or not self.weight_decay >= 0:
            raise InvalidSpec(
                f"params: learning_rate={self.learning_rate} must be above 0 and "
                f"weight_decay={self.weight_decay} not below it."
            )

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> Self:
        """Params from JSON values. Raises: InvalidSpec: a name is unknown or missing, or a value is of another kind."""
        known = [entry.name for entry in fields(cls)]
        if unknown := sorted(set(params) - set(known)):
            raise InvalidSpec(f"Unknown training parameter {', '.join(unknown)}; there are: {', '.join(known)}.")
        try:
            return cls(**{"label": "", **params})
        except InvalidSpec:
            raise
        except (TypeError, ValueError) as error:
            raise InvalidSpec(f"A training parameter is of the wrong kind: {error}.") from error


def _tuple(name: str, values: Any) -> tuple[Any, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidSpec(f"params: {name}={values!r} is one value; give a list.")
    return tuple(values)
