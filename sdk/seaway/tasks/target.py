"""What a model says about what it predicts; part of its signature, so every later step reads it from the model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from seaway.errors import InvalidSpec


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes:
        task: Its name, such as `binary`.
        label: Column of the truth.
        output: The model's output that is the prediction; empty for the first.
        classes: Names of the classes in the order of the output's values; none where labels are 0 and 1, or numbers.
        unit: Of the label.
        facts: Numbers that the task learnt from the training labels.
    """

    task: str
    label: str
    output: str = ""
    classes: tuple[str, ...] = ()
    unit: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if not self.task or not self.label:
            raise InvalidSpec(f"A target names its task and its label; given are {self.task!r} and {self.label!r}.")
        if len(set(self.classes)) < len(self.classes) or not all(isinstance(name, str) for name in self.classes):
            raise InvalidSpec(f"The classes of {self.label!r} are texts, each once; given are {list(self.classes)}.")

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"classes": list(self.classes), "facts": dict(self.facts)}

    @classmethod
    def from_json(cls, value: Any) -> "Target":
        """Raises: InvalidSpec where a field is missing, unknown or of another form."""
        try:
            return cls(**value)
        except TypeError as error:
            raise InvalidSpec(f"Not a target: {error}; see docs/reference/tasks.md.") from error
