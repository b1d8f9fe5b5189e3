"""What people are asked, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seaway.errors import InvalidSpec

KINDS = (TEXT, IMAGE, TABLE) = ("text", "image", "table")
FEWEST, MOST = 2, 35  # classes that can be told apart by one key of a keyboard each

Value = str | int | float | bool | bytes | None


@dataclass(frozen=True)
class Question:
    """What every item of a queue is asked.

    Attributes:
        classes: The possible answers.
        kind: How an item is shown: `text`, `image` (the first of `shown` is a picture's bytes) or `table`.
        shown: Names of the values that are shown, in their order.
        title: What people see above it.
        instructions: How to tell the classes apart.

    Raises:
        InvalidSpec: an unknown kind, nothing to show, or classes that cannot be told apart.
    """

    classes: Sequence[str]
    kind: str
    shown: Sequence[str]
    title: str = ""
    instructions: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "shown", tuple(self.shown))
        if self.kind not in KINDS:
            raise InvalidSpec(f"Items are shown as one of {', '.join(KINDS)}, not {self.kind!r}.")
        if not self.shown or len(set(self.shown)) < len(self.shown):
            raise InvalidSpec(f"Name the columns that are shown, each once; given are {list(self.shown)}.")
        names = {name for name in self.classes if isinstance(name, str) and name == name.strip() and name}
        if len(names) < len(self.classes) or not FEWEST <= len(self.classes) <= MOST:
            raise InvalidSpec(
                f"The classes are {FEWEST} to {MOST} different texts without blanks around them; given are "
                f"{list(self.classes)}."
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"classes": list(self.classes), "shown": list(self.shown)}

    @classmethod
    def from_json(cls, value: Any) -> "Question":
        """Raises: InvalidSpec where a field is missing, unknown or of another form."""
        try:
            return cls(**value)
        except TypeError as error:
            raise InvalidSpec(f"Not a question: {error}; send the items anew.") from error


@dataclass(frozen=True)
class Item:
    """A row that people are asked about.

    Attributes:
        key: By which its answers find back to the row.
        data: What is shown, by name; bytes are a picture's file.
        prediction: The class that a model takes it for; empty where none was asked.
        score: The model's probability of that class.
    """

    key: str
    data: Mapping[str, Value]
    prediction: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Label:
    """An annotator's latest answer to an item; `seconds` is how long it took, where that is known."""

    key: str
    annotator: str
    value: str
    seconds: float | None = None


@dataclass(frozen=True)
class Answers:
    """What a queue has so far: labels, one an item and annotator, and a sentence for each that cannot be used."""

    labels: Sequence[Label]
    refused: Sequence[str] = ()


def latest(labels: Sequence[Label]) -> list[Label]:
    """The last of each item and annotator, in the order of the first; one without a value withdraws it."""
    found = {(label.key, label.annotator): label for label in labels}
    return [label for label in found.values() if label.value]
