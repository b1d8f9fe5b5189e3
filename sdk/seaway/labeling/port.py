"""Where people label."""

from collections.abc import Sequence
from typing import Protocol

from seaway.labeling.items import Answers, Item, Question


class LabelQueue(Protocol):
    """Shows items to people, and keeps what they answer."""

    def send(self, name: str, question: Question, items: Sequence[Item]) -> int:
        """Add the items that the queue does not have, and make the queue where there is none; how many are new.

        Sent again after an interruption, no item is there twice.

        Raises:
            NameTaken: the queue asks another question.
            LabelsUnavailable: it cannot be reached.
            InvalidSpec: the name cannot be a queue's here.
        """
        ...

    def answers(self, name: str) -> Answers:
        """What has been answered so far.

        Raises:
            LabelsUnavailable: the queue cannot be reached, or there is none of that name.
        """
        ...

    def address(self, name: str) -> str:
        """Where people go to label it: a folder, or a page."""
        ...
