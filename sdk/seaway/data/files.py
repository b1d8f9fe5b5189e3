"""A file of rows as a table: CSV of any dialect, JSON lines, or Parquet. `columns` has what is made of their values."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data.columns import Column, chosen, look, quoted, types
from seaway.errors import DataUnreadable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

CSV, JSONL, PARQUET = (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson", ".json"), (".parquet", ".pq")
ENCODINGS = ("utf-8", "cp1252", "latin-1")  # of a text without a mark, tried in this order; the last takes any bytes
WIDE = "utf-16"  # without a mark any bytes are some UTF-16
MARKS = {b"\xff\xfe": WIDE, b"\xfe\xff": WIDE, b"\xef\xbb\xbf": "utf-8-sig"}
PART = 1 << 20  # signs that are decoded at a time
PACKED = (".gz", ".zst")  # of a CSV or JSON lines


def read_file(
    path: str, kinds: Mapping[str, str], optional: Sequence[str] = (), needed: Sequence[str] = ()
) -> "pa.Table":
    """The columns that `kinds` names, in its order, each as the kind says: numbers, 0 and 1, times in UTC, or text.

    Those that are `optional` may be missing, and are empty then: a label that is not known yet. Rows that have nothing
    in a column that is `needed` are left out.

    Raises:
        DataUnreadable: the file is missing, is none of the known formats, or lacks a column.
        InvalidSpec: a kind does not exist.
    """
    with opened(Path(path)) as database:
        return chosen(database, kinds, path, optional, needed)


def columns(path: Path) -> tuple[int, Sequence[Column]]:
    """How many rows a file has, and what each of its columns is. Raises: DataUnreadable, see `opened`."""
    with opened(path) as database:
        return look(database)


@contextmanager
def opened(path: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database whose table `rows` is the file, those of CSV as texts.

    Raises:
        DataUnreadable: the file is missing, none of the known formats, mixes encodings, or cannot be read.
    """
    import duckdb

    if not path.is_file():
        what = "is a folder; name a file in it" if path.is_dir() else "does not exist"
        raise DataUnreadable(f"{path.absolute()} {what}.")
    reasons: list[str] = []
    with duckdb.connect() as database, _in_utf8(path) as readable:
        database.execute("SET TimeZone = 'UTC'")
        for reader in _readers(readable):
            try:
                database.execute(f"CREATE TABLE rows AS SELECT * FROM {reader}")  # noqa: S608 - the name is quoted
            except duckdb.Error as error:
                reasons.append(str(error).split("\n", maxsplit=1)[0])
                continue
            _without_quotes(database)
            yield database
            return
    raise DataUnreadable(f"{path} cannot be read: {reasons[0]}")


@contextmanager
def _in_utf8(path: Path) -> Iterator[Path]:
    """The file, or a copy where DuckDB does not read its encoding: any but UTF-8 of JSON, UTF-16 of a CSV."""
    encoding = _encoding(path)
    if encoding != WIDE and _format(path) not in PARQUET and path.suffix.lower() not in PACKED:
        _check_one_encoding(path)
    if encoding == ENCODINGS[0]:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="seaway-rows-") as folder:
        copy = Path(folder) / path.name
        with path.open(encoding=encoding, newline="") as given, copy.open("w", encoding="utf-8", newline="") as made:
            try:
                shutil.copyfileobj(given, made, PART)
            except UnicodeDecodeError as error:
                raise DataUnreadable(f"{path} is cut off or damaged: {error}.") from error
        yield copy


def _check_one_encoding(path: Path) -> None:
    """Raises: DataUnreadable: some lines have signs of UTF-8, and others are none: no one encoding reads both."""
    if _decodes(path, ENCODINGS[0]):
        return
    broken, whole = 0, False
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.isascii():
                fits = _is_utf8(line)
                whole = whole or fits
                broken = broken or (0 if fits else number)
    if broken and whole:
        raise DataUnreadable(
            f"{path}:{broken} is no UTF-8, and other lines are: the file mixes encodings, or is damaged. "
            "Write it in one."
        )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encoding(path: Path) -> str:
    """That of a text which has to be copied, by its mark, or of JSON the first that it can be; else UTF-8."""
    ending = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(3)
    marked = next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), "")
    if ending in JSONL:
        return marked or next(encoding for encoding in ENCODINGS if _decodes(path, encoding))
    return marked if ending in CSV and marked == WIDE else ENCODINGS[0]


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as file:
            while file.read(PART):
                pass
    except UnicodeError:
        return False
    return True


def _without_quotes(database: "duckdb.DuckDBPyConnection") -> None:
    """Values of several kinds, which are kept as JSON, as the texts that they are."""
    for name in [name for name, stored in types(database).items() if stored == "JSON"]:
        database.execute(f"ALTER TABLE rows ALTER {quoted(name)} TYPE VARCHAR USING {quoted(name)} ->> '$'")


def repeated_names(path: Path) -> dict[str, int]:
    """Names that more than one column of a CSV has, with how many have them; the later ones are read as `NAME_1`."""
    import duckdb

    if _format(path) not in CSV:
        return {}
    with duckdb.connect() as database, _in_utf8(path) as readable:
        for reader in _readers(readable, header=False):
            try:
                row = database.execute(f"SELECT * FROM {reader} LIMIT 1").fetchone() or ()  # noqa: S608
            except duckdb.Error:
                continue
            found = Counter(name for name in row if name)
            return {name: count for name, count in found.items() if count > 1}
    return {}


def _format(path: Path) -> str:
    """The ending that tells the format."""
    endings = [ending.lower() for ending in path.suffixes]
    return next((ending for ending in reversed(endings) if ending not in PACKED), "")


def _readers(path: Path, header: bool = True) -> Iterator[str]:
    """Table functions that may read a file, in the order in which they are tried."""
    name, ending = "'" + str(path).replace("'", "''") + "'", _format(path)
    if ending in PARQUET:
        yield f"read_parquet({name})"
    elif ending in JSONL:
        form = "auto" if ending == ".json" else "newline_delimited"
        yield f"read_json({name}, format = '{form}', sample_size = -1, map_inference_threshold = -1)"
    elif ending in CSV:
        how = f"all_varchar = true, header = {header}, sample_size = -1"
        for encoding in ("utf-8", "latin-1"):
            for strict in ("true", "false"):
                yield f"read_csv({name}, {how}, encoding = '{encoding}', strict_mode = {strict})"
    else:
        known = ", ".join((*CSV, *JSONL, *PARQUET))
        raise DataUnreadable(f"{path} is no file of rows by its name; there are {known}.")
