"""What is seen of somebody's rows before anything is planned: a file's, or a query's."""

import importlib.util
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data import columns, files, queries
from seaway.data.columns import Column
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.signature import EMBEDDING
from seaway.projects import contents, roles
from seaway.projects.contents import Content
from seaway.projects.seen import TIME, Seen, Wishes

if TYPE_CHECKING:
    import duckdb


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
        seen = _timed(database, wishes, _seen(database, wishes))
        text = wishes.text or _found_text(seen, wishes)
        return _with_text(database, wishes, seen, text) if text else seen


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
    _require_free_names({"--label": wishes.label, "--text": wishes.text})


def _require_free_names(named: Mapping[str, str]) -> None:
    for wish, name in named.items():
        if name in roles.RESERVED or (wish == "--text" and name == EMBEDDING):
            raise InvalidSpec(
                f"{wish} {name}: examples or answers have a column of that name; call yours otherwise, in the file or "
                "by AS in a query."
            )


def _timed(database: "duckdb.DuckDBPyConnection", wishes: Wishes, seen: Seen) -> Seen:
    """What is seen of the rows that have a time, where there is to be one."""
    missing = seen.columns[wishes.time].missing if wishes.time else 0
    if not missing:
        return seen
    columns.keep(database, wishes.time, seen.columns[wishes.time].kind)
    told = f"{missing:,} of {seen.rows:,} rows have no {wishes.time} and are left out."
    return replace(_seen(database, wishes), left_out=[told])


def _found_text(seen: Seen, wishes: Wishes) -> str:
    """The column that is read as a text without having been named; none where features are looked up.

    None as well where what reads texts is not installed.
    """
    looked_up = wishes.features or (wishes.entity and wishes.time)
    if looked_up or not importlib.util.find_spec("tokenizers"):
        return ""
    return next((one.name for one in roles.prose(seen, wishes)), "")


def _with_text(database: "duckdb.DuckDBPyConnection", wishes: Wishes, seen: Seen, text: str) -> Seen:
    """What is seen of the rows; where the text is the only input, of those that have one."""
    contents.require_text(seen.columns[text])
    alone = not roles.inputs(replace(seen, content=Content(text, {})), wishes)
    content, left_out = contents.texts(database, text, alone)
    return replace(_seen(database, wishes) if alone else seen, content=content, left_out=[*seen.left_out, *left_out])


def _pictures(wishes: Wishes, folder: Path) -> Seen:
    """What is seen of the pictures that a folder has, or that the data name."""
    import duckdb

    if wishes.data:
        with _opened(wishes) as opened:
            given = contents.rows_of(opened)
    else:
        given = contents.folder_rows(folder, wishes.label)
    _require_columns(wishes, given.column_names)
    rows, content, left_out = contents.pictures(given, folder, wishes.label, listed=not wishes.data)
    with duckdb.connect() as database:
        database.register("kept", rows)
        database.execute("SET TimeZone = 'UTC'; CREATE TABLE rows AS SELECT * FROM kept")
        seen = _timed(database, wishes, _seen(database, wishes))
        return replace(seen, content=content, left_out=[*seen.left_out, *left_out])


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
