"""What is seen of pictures and texts, and how much of each a model is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from seaway.data import pictures as files
from seaway.data.columns import Column, quoted
from seaway.data.pictures import FILE, PICTURE, Picture
from seaway.errors import DataUnreadable, InvalidSpec

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LARGEST_SIDE, LEAST_SIDE = 64, 8  # that pictures are resized to, and what sides are multiples of
COLOURS, GREY = 3, 1  # channels
LENGTHS = (16, 32, 64, 128)  # tokens; the first that is not below what is wanted, or the last
TOKENS_A_WORD, SIGNS_A_TOKEN = 1.4, 5  # of a vocabulary that is learnt from few texts
TWO = 2  # texts, of which one can be told from the other
MOST = 0.95  # of the texts, which are not cut


@dataclass(frozen=True)
class Content:
    """The one input that is a picture or a text.

    Attributes:
        column: That holds it when the rows are read.
        settings: What its trainer is told beside columns and task.
        file: The column that names a picture's file; empty for texts.
        folder: Where the pictures are; None for texts.
        listed: Whether the folder is all that there is, rather than a table that names its files.
        alone: Whether it is the only input: the rows then are those that have it.
        notes: Sentences on what was found.
    """

    column: str
    settings: Mapping[str, Any]
    file: str = ""
    folder: Path | None = None
    listed: bool = False
    alone: bool = True
    notes: Sequence[str] = ()

    @property
    def kind(self) -> str:
        return "images" if self.folder else "texts"


def folder_rows(folder: Path, label: str) -> "pa.Table":
    """A row a picture of the folder: its file, and the folder that it lies in as `label`.

    Raises:
        InvalidSpec: the label is called like another column.
    """
    if label in (FILE, PICTURE):
        raise InvalidSpec(f"--label {label}: a folder's table has a column of that name; call the label otherwise.")
    return files.listed(folder).rename_columns([FILE, label])


def rows_of(database: "duckdb.DuckDBPyConnection") -> "pa.Table":
    """The table `rows`, all columns as they are."""
    return database.sql("SELECT * FROM rows").to_arrow_table()


def pictures(rows: "pa.Table", folder: Path, label: str, listed: bool) -> "tuple[pa.Table, Content, list[str]]":
    """The rows that have a picture to learn from, what the pictures are, and sentences on rows that are left out.

    Raises:
        InvalidSpec: no column names files of the folder.
        DataUnreadable: more than a few of them cannot be read.
    """
    file = FILE if listed else files.naming_column(rows.drop_columns([label]), folder)
    kept = files.sorted_out(rows, folder, file, label)
    column = PICTURE
    while column in rows.column_names:
        column += "_"
    found = kept.found
    grey = all(one.grey for one in found)
    size = _size(median(one.height for one in found), median(one.width for one in found)) if found else []
    settings = {"size": size, "channels": GREY if grey else COLOURS}
    notes = [*_of_pictures(found, size, grey), *(_of_folders(folder) if listed else ())]
    return kept.rows, Content(column, settings, file, folder.absolute(), listed, notes=notes), list(kept.told)


def texts(database: "duckdb.DuckDBPyConnection", column: str, alone: bool = True) -> tuple[Content, list[str]]:
    """What the texts of a column are; where they are `alone`, rows of the table `rows` without one are removed.

    Beside it sentences on rows without a text.

    Raises:
        DataUnreadable: all of its texts are the same.
    """
    name = quoted(column)
    text = f"nullif(trim({name}::VARCHAR), '')"
    words = f"len(string_split_regex({text}, '\\s+'))"
    tokens = f"greatest({words} * {TOKENS_A_WORD}, length({text}) / {SIGNS_A_TOKEN})"
    query = f"""
        SELECT count(*) - count({text}), count(DISTINCT {text}), count({text}), coalesce(median({words}), 0),
            coalesce(max({words}), 0), coalesce(quantile_cont({tokens}, {MOST}), 0) FROM rows
    """  # noqa: S608 - the name is quoted
    missing, distinct, filled, usual, longest, wanted = database.execute(query).fetchall()[0]
    if distinct < TWO:
        held = "one text" if distinct else "no texts"
        raise DataUnreadable(f"Column {column!r} holds {held}; there is nothing to tell the rows apart by.")
    if alone:
        database.execute(f"DELETE FROM rows WHERE {text} IS NULL")  # noqa: S608 - the name is quoted
    length = next((step for step in LENGTHS if step >= wanted), LENGTHS[-1])
    found = f"The texts of {column} have {usual:,.0f} words, the longest {longest:,}"
    notes = [f"{found}; a model reads {length} tokens of each."]
    if wanted > length:
        notes.append("More than one text in twenty is longer and cut; LENGTH in schema.py takes more, and more time.")
    if copies := filled - distinct:
        notes.append(f"{copies:,} texts are the same as another; a model may be judged by what it has learned.")
    lost = "are left out" if alone else "are read by their other columns"
    left_out = [f"{missing:,} rows have no text in {column} and {lost}."] if missing else []
    return Content(column, {"length": length}, alone=alone, notes=notes), left_out


def require_text(column: Column) -> None:
    """Raises: InvalidSpec: the column holds numbers, times or structures."""
    if column.kind not in ("text", "truth"):
        raise InvalidSpec(f"--text {column.name}: it is read as {column.kind}, which is no text to learn from.")


def _of_pictures(found: Sequence[Picture], size: Sequence[int], grey: bool) -> Iterator[str]:
    if not found:
        return
    sides = sorted({(one.height * one.width, f"{one.width} x {one.height}") for one in found})
    spread = sides[0][1] if len(sides) == 1 else f"{sides[0][1]} to {sides[-1][1]}"
    colours = "grey" if grey else "in colour"
    yield f"The pictures have {spread} pixels; a model sees {size[1]} x {size[0]} of them, {colours}."
    several = sum(one.frames > 1 for one in found)
    counted = {
        "are grey and are read as coloured ones": 0 if grey else sum(one.grey for one in found),
        "have 16 bits a pixel and are read with 8": sum(one.deep for one in found),
        "have several frames, of which the first is read": several,
    }
    yield from (f"{count:,} of {len(found):,} pictures {what}." for what, count in counted.items() if count)


def _of_folders(folder: Path) -> Iterator[str]:
    """Of sub-folders without a picture, and of classes that several folders have."""
    inside = [path for path in sorted(folder.rglob("*")) if path.is_dir() and not path.name.startswith(".")]
    filled = {(folder / name).parent for name in files.listed(folder)[FILE].to_pylist()}
    empty = [path for path in inside if not any(path == one or path in one.parents for one in filled)]
    if empty:
        names = ", ".join(path.relative_to(folder).as_posix() for path in empty)
        yield f"No picture lies in {names}: no class."
    if len({path.name for path in filled}) < len(filled):
        yield "Folders of one name at several places are one class; the rows are split anew."


def _size(height: float, width: float) -> list[int]:
    """What a picture of these sides is resized to: of about the same shape, and small enough to learn in minutes."""
    scale = min(1.0, LARGEST_SIDE / max(height, width))
    return [max(LEAST_SIDE, int(side * scale / LEAST_SIDE + 0.5) * LEAST_SIDE) for side in (height, width)]
