"""What a task answers; `binary.py` and its neighbours are the tasks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seaway import registry
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.tasks.estimate import Array, Estimate, Floats, Measured
from seaway.tasks.target import Target

if TYPE_CHECKING:
    from torch import Tensor

PORT = "Task"
SMALL = 20  # rows, of each class where there are classes; below it a slice's figure says little
NUMBERS = (bool, int, float, np.bool_, np.number)
FEW_OUTSIDE = 5  # labels that an error shows


@dataclass(frozen=True)
class Metric:
    """A figure of a model: its name, what a page calls it, and which way is better.

    `lineage` are the names under which a lineage may have it, the best first.
    """

    name: str
    title: str
    higher: bool
    lineage: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "title": self.title, "higher": self.higher}


class Task(ABC):
    """One way to predict a label. Labels and answers are arrays with a row first; each task says what a row is.

    Attributes:
        metrics: Figures of a model; the first is the one that models are compared by.
        watched_metrics: Those that are followed in production.
        naive_name: What the simplest baseline predicts, as in `plan_rate`.
        output: Usual name of the model's output.
        legal: What an answer has to be, for messages.
        has_argument: Whether its name goes on behind a colon, as in `quantile:0.9`.
    """

    metrics: ClassVar[tuple[Metric, ...]]
    watched_metrics: ClassVar[tuple[str, ...]]
    naive_name: ClassVar[str] = "rate"
    output: ClassVar[str]
    legal: ClassVar[str]
    has_argument: ClassVar[bool] = False

    def __init__(self, target: Target) -> None:
        self.target = target

    @property
    def primary(self) -> Metric:
        """What models are compared by."""
        return self.metrics[0]

    @property
    @abstractmethod
    def width(self) -> int:
        """Values of one answer."""

    @property
    @abstractmethod
    def output_unit(self) -> str:
        """What an answer's values are, for the signature."""

    @classmethod
    @abstractmethod
    def learn(cls, target: Target, values: Array, where: str) -> Target:
        """The target with what the training labels tell: classes, facts. Raises: DataUnreadable."""

    @abstractmethod
    def labels(self, values: Array, where: str) -> Array:
        """Labels in the task's own form.

        Args:
            values: A column of shape [rows]: numbers with NaN for a missing one, or objects with None.
            where: Whose column it is, for the message.

        Raises:
            DataUnreadable: a label is missing, or none of the task.
        """

    @abstractmethod
    def truth(self, labels: Array) -> Floats:
        """What a perfect model would answer: [rows, width]."""

    @abstractmethod
    def answers(self, output: Array) -> Floats:
        """A model's output, [rows, ...], as answers: [rows] for a width of 1, else [rows, width]; NaN if not legal."""

    @abstractmethod
    def measured(self, answers: Floats, labels: Array) -> Measured:
        """Figures of legal answers."""

    @abstractmethod
    def losses(self, answers: Floats, labels: Array) -> Floats:
        """The loss of each row, in [0, 1]: what the judge compares."""

    @abstractmethod
    def watched(self, answers: Floats) -> dict[str, Array]:
        """What drift looks at: columns of numbers, or of objects for categories, by name."""

    def decided(self, answers: Floats) -> Array | None:
        """What is done by each answer, [rows] or [rows, names]: a class, or whether a label holds; None for numbers."""
        return None

    def curves(self, models: Mapping[str, Measured], model: str, labels: Array) -> dict[str, Any]:
        """More keys of `evaluation.json`, such as `roc`; the page draws those that it knows."""
        return {}

    def facts(self, labels: Array) -> dict[str, Any]:
        """What the labels of an evaluation are like, for `evaluation.json`."""
        return {}

    def told(self, labels: Array) -> str:
        """The labels in a word or two."""
        return f"{self.width} classes"

    def slice_facts(self, answers: Floats, labels: Array) -> dict[str, float]:
        """What a slice's rows are like: `rate`, the mean label, and `predicted`, the mean answer, where there are."""
        return {}

    def measurable(self, labels: Array) -> str:
        """Why a model cannot be measured on these labels; empty where it can."""
        return ""

    def figure(self, answers: Floats, labels: Array) -> Estimate | None:
        """The figure that models are compared by, on part of the rows; None where it has none there."""
        return None if self.measurable(labels) else self.measured(answers, labels).figures()[self.primary.name]

    def support(self, labels: Array) -> int:
        """Rows that a figure rests on: of the rarest class, where one that is rare makes it unsure."""
        return len(labels)

    def small(self, labels: Array) -> bool:
        """Whether these rows are too few for a figure to be trusted."""
        return self.support(labels) < SMALL

    def naive(self, labels: Array, groups: Array, places: Array) -> Floats:
        """The mean truth of each group of the training rows as answers for other rows, whose groups are `places`.

        Args:
            labels: Of the training rows.
            groups: The group of each, from 0.
            places: Of the rows to be answered; a group that no training row has stands for all.
        """
        truth = self.truth(labels)
        count = max(int(groups.max(initial=0)), int(places.max(initial=0))) + 1
        rows = np.bincount(groups, minlength=count)
        sums = np.stack([np.bincount(groups, column, count) for column in truth.T], axis=1)
        means = np.where(rows[:, None] > 0, sums / np.maximum(rows, 1)[:, None], truth.mean(axis=0))
        return self.answers(means[places])

    def beside(self, other: "Task") -> "Task":
        """This task as it is judged beside another model's: losses have to be on one scale.

        Raises:
            InvalidSpec: the two do not predict the same.
        """
        mine, theirs = self.target, other.target
        if (mine.task, mine.label) != (theirs.task, theirs.label):
            raise InvalidSpec(
                f"One model predicts {mine.label!r} ({mine.task}), the other {theirs.label!r} ({theirs.task}): no loss "
                "compares them. Roll out a model beside one that predicts the same."
            )
        return self

    def in_order_of(self, other: "Task", answers: Floats) -> Floats:
        """Answers with the classes in the order that another task has; a class that is only the other's is 0."""
        mine, theirs = self.target.classes, other.target.classes
        if mine == theirs or self.width == 1:
            return answers
        places = {name: place for place, name in enumerate(mine)}
        columns = [answers[:, places[name]] if name in places else np.zeros(len(answers)) for name in theirs]
        return np.stack(columns, axis=1)

    # What the bundled trainers ask; torch is theirs.

    @abstractmethod
    def training_labels(self, labels: Array) -> Array:
        """Labels as `loss` takes them, [rows] or [rows, width]."""

    @abstractmethod
    def loss(self, outputs: "Tensor", labels: "Tensor") -> "Tensor":
        """Summed loss of outputs [rows, width]."""

    @abstractmethod
    def answer(self, outputs: "Tensor") -> "Tensor":
        """Outputs [rows, width] as they are exported."""

    def outputs(self, answers: "Tensor") -> "Tensor":
        """What `answer` made answers [rows, width] of: of a model that teaches. Raises: InvalidSpec: cannot be told."""
        raise InvalidSpec(
            f"The task {self.target.task} cannot say what a network put out from what its model answers, so such a "
            "model teaches no other and is not trained further."
        )

    def soft_loss(self, outputs: "Tensor", teacher: "Tensor", temperature: float) -> "Tensor":
        """Summed loss of outputs [rows, width] against a teacher's (Hinton, Vinyals and Dean 2015).

        Raises:
            InvalidSpec: this task is not taught.
        """
        raise InvalidSpec(f"The task {self.target.task} has no loss against another model's answers.")

    def validation(self, outputs: "Tensor", labels: "Tensor") -> dict[str, float]:
        """Figures of the validation rows beside `validation_loss`."""
        return {}


def kind(name: str) -> type[Task]:
    """The class of a task; what is behind a colon, as in `quantile:0.9`, is the task's own to read.

    Raises:
        InvalidSpec: there is no task of that name, or it is one that nothing is to be said to.
    """
    plain, colon, _ = name.partition(":")
    task: type[Task] = registry.find(PORT, plain).load()
    if colon and not task.has_argument:
        raise InvalidSpec(f"The task {name!r}: {plain} takes nothing behind a colon; write {plain}.")
    return task


def learnt(target: Target, values: Array, where: str) -> Target:
    """The target, with what the training labels tell where it does not say so itself; see `Task.learn`."""
    return kind(target.task).learn(target, values, where)


def named(task: str, label: str, values: Array, where: str, **target: Any) -> Task:
    """A task that has learnt what the training labels tell.

    Raises:
        InvalidSpec: there is no task of that name.
        DataUnreadable: the labels are none of it.
    """
    return of(learnt(Target(task, label, **target), values, where))


def of(target: Target) -> Task:
    """The task of a model's target. Raises: InvalidSpec: there is no task of that name."""
    return kind(target.task)(target)


def present(values: Array, label: str, where: str) -> Array:
    """The labels, each there, numbers as an array of numbers. Raises: DataUnreadable."""
    if values.dtype.kind == "O" and all(isinstance(value, NUMBERS) for value in values):
        values = np.array(values.tolist())
    missing = np.isnan(values) if values.dtype.kind == "f" else np.array([value is None for value in values], bool)
    if not len(values):
        raise DataUnreadable(f"{where} has no rows, so no label {label!r} either.")
    if count := int(missing.sum()):
        raise DataUnreadable(f"{where}: label {label!r} is missing in {count} of {len(values)} rows; drop those rows.")
    return values


def names_of(values: Array) -> list[str]:
    """Labels as names of classes: text as it is, whole numbers without a point."""
    return [_name(value) for value in values.tolist()]


def _name(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def outside(values: Array, legal: Callable[[Array], Array], label: str, where: str, wanted: str) -> None:
    """Refuse labels that are none of a task. Raises: DataUnreadable."""
    if len(wrong := values[~legal(values)]):
        shown = sorted(set(names_of(wrong)))[:FEW_OUTSIDE]
        raise DataUnreadable(
            f"{where}: label {label!r} holds {', '.join(shown)} in {len(wrong)} of {len(values)} rows; {wanted}"
        )


def flat(output: Array, width: int) -> Floats:
    """An output as [rows, width], or NaN where it is of another width."""
    array = np.asarray(output, np.float64).reshape(len(output), -1)
    return array if array.shape[1] == width else np.full((len(array), width), np.nan)


def probabilities(array: Floats) -> Floats:
    """Those in [0, 1]; a row with another value is NaN."""
    legal = ((array >= 0) & (array <= 1)).all(axis=-1, keepdims=True)
    return np.where(legal, array, np.nan)
