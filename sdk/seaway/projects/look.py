"""What is seen of somebody's rows before anything is planned: a file's, or a query's."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data import columns, files, queries
from seaway.data.columns import Column
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.projects import contents
from seaway.projects.contents import Content

if TYPE_CHECKING:
    import duckdb

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
        text: The column of texts that are learned from.
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
        content: The pictures or texts that are learned from; None where inputs are numbers and categories.
    """

    rows: int
    columns: Mapping[str, Column]
    classes: Mapping[str, int] = field(default_factory=dict)
    repeated: Mapping[str, int] = field(default_factory=dict)
    histories: bool = False
    ambiguous: bool = False
    content: Content | None = None


def look(wishes: Wishes) -> Seen:
    """Read the data once.

    Raises:
        InvalidSpec: a wish names a column that there is not, or a query has no database.
        DataUnreadable: the data cannot be read, or have no rows.
    """
    _require_sense(wishes)
    if wishes.images:
        return _pictures(wishes, wishes.images)
    with _opened(wishes) as database:
        return _texts(database, wishes) if wishes.text else _seen(database, wishes)


def _require_sense(wishes: Wishes) -> None:
    """Refuse wishes that exclude each other."""
    if wishes.query and not wishes.database:
        raise InvalidSpec(f"--query asks a database, and {wishes.data} is a file; give --from postgresql://... .")
    if wishes.images and wishes.text:
        raise InvalidSpec("--images and --text: a model here reads pictures or texts; give one of them.")
    if wishes.images and wishes.database:
        raise InvalidSpec("--images: pictures are named by a file of rows, or by their folders, not by a query.")
    if wishes.text and wishes.text == wishes.label:
        raise InvalidSpec(f"--text {wishes.text}: the label cannot be what it is predicted from.")
    if wishes.features and (wishes.images or wishes.text):
        raise InvalidSpec("--features: features are looked up for rows of numbers and categories; leave it out.")
    if not (wishes.data or wishes.images):
        raise InvalidSpec("Nothing to look at: --from names the data, or --images a folder of pictures.")
    if wishes.data and not wishes.label:
        raise InvalidSpec(f"--label is missing: say which column of {wishes.source} is to be predicted.")


def _texts(database: "duckdb.DuckDBPyConnection", wishes: Wishes) -> Seen:
    """What is seen of the rows that have a text."""
    _require_columns(wishes, list(columns.types(database)))
    content = contents.texts(database, wishes.text)
    seen = _seen(database, wishes)
    contents.require_text(seen.columns[wishes.text])
    return replace(seen, content=content)


def _pictures(wishes: Wishes, folder: Path) -> Seen:
    """What is seen of the pictures that a folder has, or that the data name."""
    import duckdb

    if wishes.data:
        with _opened(wishes) as opened:
            given = contents.rows_of(opened)
    else:
        given = contents.folder_rows(folder, wishes.label)
    _require_columns(wishes, given.column_names)
    rows, content = contents.pictures(given, folder, wishes.label, listed=not wishes.data)
    with duckdb.connect() as database:
        database.register("kept", rows)
        database.execute("SET TimeZone = 'UTC'; CREATE TABLE rows AS SELECT * FROM kept")
        return replace(_seen(database, wishes), content=content)


def _seen(database: "duckdb.DuckDBPyConnection", wishes: Wishes) -> Seen:
    """What is seen of the table `rows`."""
    rows, found = columns.look(database)
    if not rows:
        raise DataUnreadable(f"{wishes.source} has no rows.")
    known = {column.name: column for column in found}
    _require_columns(wishes, list(known))
    _require_time(wishes, known)
    return Seen(
        rows,
        known,
        _classes(database, known[wishes.label]),
        files.repeated_names(Path(wishes.data)) if wishes.data and not wishes.database else {},
        bool(wishes.entity) and known[wishes.entity].distinct < rows - known[wishes.entity].missing,
        bool(wishes.entity and wishes.time)
        and columns.repeats(database, wishes.entity, wishes.time, known[wishes.time].kind),
    )


def _require_columns(wishes: Wishes, known: Sequence[str]) -> None:
    named = {"--label": wishes.label, "--entity": wishes.entity, "--time": wishes.time, "--text": wishes.text}
    for wish, name in named.items():
        if name and name not in known:
            raise InvalidSpec(f"{wish} {name}: {wishes.source} has no such column; it has {', '.join(known)}.")


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
