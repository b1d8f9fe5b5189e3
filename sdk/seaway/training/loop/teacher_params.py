"""How much is learned from a teacher."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class TeacherParams:
    """Where a teacher's answers stand beside the training rows, and what weight they have.

    Args:
        answers: Column of its answers, lists of numbers.
        states: Column of its embeddings, lists of numbers; needed where `hidden` is above 0.
        temperature: That both models' outputs are divided by; above 1 the wrong answers tell more.
        soft: Share of the loss that is the teacher's, 0 to 1; the labels have the rest.
        hidden: Weight of the cosine distance between the student's embedding, projected, and the teacher's.
    Raises:
        InvalidSpec: a value is out of range.
    """

    answers: str
    states: str = ""
    temperature: float = 2.0
    soft: float = 0.7
    hidden: float = 0.0

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise InvalidSpec(f"teacher: temperature={self.temperature!r} must be above 0.")
        if not 0 <= self.soft <= 1:
            raise InvalidSpec(f"teacher: soft={self.soft!r} is a share of the loss, from 0 to 1.")
        if self.hidden < 0 or (self.hidden and not self.states):
            raise InvalidSpec(f"teacher: hidden={self.hidden!r} must not be below 0, and needs the column `states`.")

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> "TeacherParams":
        """Raises: InvalidSpec: a name is unknown or missing, or a value is of another kind."""
        try:
            return cls(**told)
        except TypeError as error:
            raise InvalidSpec(f"params: teacher={dict(told)} is none: {error}.") from error
