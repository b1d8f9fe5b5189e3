"""What is seen of somebody's rows before anything is planned: a file's, or a query's."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data import columns, files, queries
from seaway.data.columns import Column
from seaway.errors import DataUnreadable, InvalidSpec

if TYPE_CHECKING:
    import duckdb

TIME = "time"


@dataclass(frozen=True)
class Wishes:
    """What a person says of the data; empty where it is to be found out.

    Attributes:
        data: A file, or a database's address.
        label: The column that is to be predicted.
        task: What it means to predict it.
        entity, time: Columns of whose a row is, and of when it happened.
        query: The SELECT whose rows are learned from, of a database.
        features: The folder of a Feast repository whose features are looked up for each row.
    """

    data: Path | str
    label: str
    task: str = ""
    entity: str = ""
    time: str = ""
    query: str = ""
    features: Path | None = None

    @property
    def database(self) -> bool:
        return queries.is_database(str(self.data))

    @property
    def source(self) -> str:
        """How the data are told of."""
        return "The query" if self.database else str(self.data)


@dataclass(frozen=True)
class Seen:
    """Rows and columns of the data.

    Attributes:
        classes: Rows by value of the label, as text, the most frequent first; missing ones are not among them.
        repeated: Names that several columns have, and how many.
        histories: Whether an entity has more than one row.
        ambiguous: Whether an entity has two rows of one time.
    """

    rows: int
    columns: Mapping[str, Column]
    classes: Mapping[str, int] = field(default_factory=dict)
    repeated: Mapping[str, int] = field(default_factory=dict)
    histories: bool = False
    ambiguous: bool = False


def look(wishes: Wishes) -> Seen:
    """Read the data once.

    Raises:
        InvalidSpec: a wish names a column that there is not, or a query has no database.
        DataUnreadable: the data cannot be read, or have no rows.
    """
    if wishes.query and not wishes.database:
        raise InvalidSpec(f"--query asks a database, and {wishes.data} is a file; give --from postgresql://... .")
    with _opened(wishes) as database:
        rows, found = columns.look(database)
        if not rows:
            raise DataUnreadable(f"{wishes.source} has no rows.")
        known = {column.name: column for column in found}
        for wish, name in (("--label", wishes.label), ("--entity", wishes.entity), ("--time", wishes.time)):
            if name and name not in known:
                raise InvalidSpec(f"{wish} {name}: {wishes.source} has no such column; it has {', '.join(known)}.")
        _require_time(wishes, known)
        return Seen(
            rows,
            known,
            _classes(database, known[wishes.label]),
            {} if wishes.database else files.repeated_names(Path(wishes.data)),
            bool(wishes.entity) and known[wishes.entity].distinct < rows - known[wishes.entity].missing,
            bool(wishes.entity and wishes.time)
            and columns.repeats(database, wishes.entity, wishes.time, known[wishes.time].kind),
        )


def _opened(wishes: Wishes) -> "AbstractContextManager[duckdb.DuckDBPyConnection]":
    if wishes.database:
        return queries.asked(str(wishes.data), wishes.query)
    return files.opened(Path(wishes.data))


def _require_time(wishes: Wishes, known: Mapping[str, Column]) -> None:
    if wishes.time and not known[wishes.time].kind.startswith(TIME):
        raise InvalidSpec(
            f"--time {wishes.time}: it is read as {known[wishes.time].kind}, which is no time. Write timestamps such "
            "as 2024-03-30T12:00:00Z, or leave --time out: the rows are then split at random."
        )


def _classes(database: "duckdb.DuckDBPyConnection", label: Column) -> Mapping[str, int]:
    if label.kind == "other":
        return {}
    return columns.counts(database, label.name, "class" if label.kind == "text" else label.kind)
