"""What a person says of the data, and what is seen of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seaway.data import queries
from seaway.data.columns import Column
from seaway.projects.contents import Content

TIME = "time"


@dataclass(frozen=True)
class Wishes:
    """What a person says of the data; empty where it is to be found out.

    Attributes:
        data: A file, or a database's address; empty where a folder of pictures is all.
        label: The column that is to be predicted.
        task: What it means to predict it.
        entity, time: Columns of whose a row is, and of when it happened.
        query: The SELECT whose rows are learned from, of a database.
        features: The folder of a Feast repository whose features are looked up for each row.
        images: The folder of pictures: a sub-folder a class, or those that a column of the data names.
        text: The column of texts that are learned from; empty takes one that is written for people, if there is one.
    """

    data: Path | str
    label: str
    task: str = ""
    entity: str = ""
    time: str = ""
    query: str = ""
    features: Path | None = None
    images: Path | None = None
    text: str = ""

    @property
    def database(self) -> bool:
        return queries.is_database(str(self.data))

    @property
    def source(self) -> str:
        """How the data are told of."""
        return "The query" if self.database else str(self.data or self.images)


@dataclass(frozen=True)
class Seen:
    """Rows and columns of the data.

    Attributes:
        classes: Rows by value of the label, as text, the most frequent first; missing ones are not among them.
        repeated: Names that several columns have, and how many.
        histories: Whether an entity has more than one row.
        ambiguous: Whether an entity has two rows of one time.
        left_out: Sentences on rows that are not learned from.
        content: The pictures or texts that are learned from; None where inputs are numbers and categories alone.
    """

    rows: int
    columns: Mapping[str, Column]
    classes: Mapping[str, int] = field(default_factory=dict)
    repeated: Mapping[str, int] = field(default_factory=dict)
    histories: bool = False
    ambiguous: bool = False
    left_out: Sequence[str] = ()
    content: Content | None = None
