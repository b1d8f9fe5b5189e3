"""What tasks have in common whose answer is a probability for each name of the target."""

from typing import ClassVar

from seaway.tasks.task import Task


class PerClass(Task):
    """Answers are [rows, names]."""

    output: ClassVar[str] = "probabilities"

    @property
    def width(self) -> int:
        return len(self.target.classes)

    @property
    def output_unit(self) -> str:
        return f"probability of each {self.target.label}"
