"""Files of pictures as a table: those of a folder, a sub-folder a class, or those that a table names.

What cannot be learned from is left out, and told: files that are no pictures, the second of two files that are the same
to the bit, and all copies of one that has two labels. What is left is what `seaway init` has counted.
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.data.columns import MOSTLY, chosen
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.models.preprocessing import image

if TYPE_CHECKING:
    import pyarrow as pa

FILE, LABEL, PICTURE = "file", "label", "picture"  # columns of a folder's table
READ = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".apng")
UNREAD = (".tif", ".tiff", ".heic", ".heif", ".avif", ".svg", ".ico", ".jp2", ".psd", ".raw", ".pdf", ".eps")
THREADS = 4  # Pillow decodes without Python's lock
DRAFT = (64, 64)  # sides at which a JPEG is decoded to see that it is whole: an eighth of the work
SHOWN = 3
NAMED = 200  # values of a column that are looked for in the folder
GREY = ("1", "L", "LA", "La", image.DEEP)
REPEATED, CONTRADICTED = "the same as another file, to the bit", "the same as a file with another label, to the bit"


@dataclass(frozen=True)
class Picture:
    """What a file is: its sides in pixels, and `reason` where it cannot be read, empty where it can."""

    sha256: str = ""
    height: int = 0
    width: int = 0
    grey: bool = False
    deep: bool = False
    frames: int = 1
    reason: str = ""


@dataclass(frozen=True)
class Pictures:
    """The rows that are learned from, what the pictures of them are, and why others are left out.

    Attributes:
        rows: Without the pictures themselves.
        found: A picture a row.
        left_out: Names of files by the reason.
    """

    rows: "pa.Table"
    found: Sequence[Picture]
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def told(self) -> Iterator[str]:
        """A sentence a reason."""
        for reason, files in self.left_out.items():
            named = ", ".join(files[:SHOWN]) + (", ..." if len(files) > SHOWN else "")
            yield f"{len(files):,} of {len(self.found) + self._gone:,} pictures are left out ({named}): {reason}."

    @property
    def _gone(self) -> int:
        return sum(map(len, self.left_out.values()))


def read_pictures(folder: str, label: str = LABEL, kind: str = "class") -> "pa.Table":
    """The columns `file`, `label` and `picture`: of each picture the folder that it lies in, and its bytes.

    The label is read as `kind` says, as the columns of `read_file` are.

    Raises:
        DataUnreadable: as `listed` and `sorted_out`.
    """
    import duckdb

    with duckdb.connect() as database:
        database.register("rows", listed(Path(folder)).rename_columns([FILE, label]))
        rows = chosen(database, {FILE: "text", label: kind}, folder)
    return add_pictures(rows, folder, FILE, label)


def add_pictures(rows: "pa.Table", folder: str, file: str, label: str, picture: str = PICTURE) -> "pa.Table":
    """The rows whose column `file` names a picture below the folder, with its bytes as the column `picture`.

    Raises:
        DataUnreadable: as `sorted_out`.
    """
    return _with_bytes(sorted_out(rows, Path(folder), file, label), Path(folder), file, picture)


def listed(folder: Path) -> "pa.Table":
    """The columns `file`, relative to the folder, and `label`: the name of the folder that a file lies in.

    Files that lie in the folder itself have none. Those that no picture is called like are not listed.

    Raises:
        DataUnreadable: there is no such folder, or no picture in it.
    """
    import pyarrow as pa

    if not folder.is_dir():
        raise DataUnreadable(f"{folder.absolute()} is no folder.")
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (*READ, *UNREAD) and _visible(file))
    if not files:
        raise DataUnreadable(
            f"{folder.absolute()} has no pictures; put those of each class into a folder of its own, such as "
            f"{folder.name}/cat/1.png."
        )
    labels = [None if file.parent == folder else file.parent.name for file in files]
    names = [file.relative_to(folder).as_posix() for file in files]
    return pa.table({FILE: pa.array(names, pa.string()), LABEL: pa.array(labels, pa.string())})


def naming_column(rows: "pa.Table", folder: Path) -> str:
    """The column whose texts name files below the folder.

    Raises:
        InvalidSpec: none does.
    """
    shares: dict[str, float] = {
        name: _share(rows[name].drop_null().slice(0, NAMED).to_pylist(), folder) for name in rows.column_names
    }
    best: str = max(shares, key=lambda name: shares[name])
    if shares[best] < MOSTLY / 2:
        raise InvalidSpec(
            f"No column names files below {folder.absolute()}; there are {', '.join(shares)}. Write where a picture is "
            "as seen from there, such as cat/1.png."
        )
    return best


def sorted_out(rows: "pa.Table", folder: Path, file: str, label: str) -> Pictures:
    """Look at each picture, and leave out what cannot be learned from.

    Raises:
        DataUnreadable: more than a few files cannot be read.
    """
    names = rows[file].to_pylist()
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda name: _looked_at(folder, name), names))
    reasons = [picture.reason for picture in found]
    if len(broken := [place for place, reason in enumerate(reasons) if reason]) > (1 - MOSTLY) * len(found):
        first = broken[0]
        raise DataUnreadable(
            f"{len(broken):,} of {len(found):,} files of {folder.absolute()} cannot be read as pictures, such as "
            f"{names[first]}: {reasons[first]}. Convert or remove them."
        )
    unread = f"not to be read, the first because {reasons[broken[0]]}" if broken else ""
    copies = _copies(found, rows[label].to_pylist())
    reasons = [unread if picture.reason else copied for picture, copied in zip(found, copies, strict=True)]
    left_out: dict[str, list[str]] = {}
    for name, reason in zip(names, reasons, strict=True):
        if reason:
            left_out.setdefault(reason, []).append(str(name))
    kept = [place for place, reason in enumerate(reasons) if not reason]
    return Pictures(rows.take(kept), [found[place] for place in kept], left_out)


def _copies(found: Sequence[Picture], labels: Sequence[Any]) -> list[str]:
    """Why each picture that is the same as another is left out; empty where it stays."""
    of: dict[str, set[Any]] = {}
    for picture, label in zip(found, labels, strict=True):
        of.setdefault(picture.sha256, set()).update({label} - {None})
    seen: set[str] = set()
    reasons = []
    for picture in found:
        reasons.append(CONTRADICTED if len(of[picture.sha256]) > 1 else REPEATED if picture.sha256 in seen else "")
        seen.add(picture.sha256)
    return reasons


def _looked_at(folder: Path, name: str | None) -> Picture:
    """What a file is; each that cannot be read differs from all others."""
    unread = f"unread {name}"
    if not name:
        return Picture(unread, reason="no file is named")
    try:
        content = (folder / name).read_bytes()
        picture = image.opened(content)
        whole = Picture(
            hashlib.sha256(content).hexdigest(),
            picture.height,
            picture.width,
            picture.mode.startswith(GREY),
            picture.mode.startswith(image.DEEP),
            int(getattr(picture, "n_frames", 1)),
        )
        picture.draft("RGB", DRAFT)
        picture.load()
    except (InvalidSpec, OSError, ValueError, SyntaxError, ArithmeticError, MemoryError) as error:
        return Picture(unread, reason=_told(error))
    return whole


def _told(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _with_bytes(kept: Pictures, folder: Path, file: str, picture: str) -> "pa.Table":
    import pyarrow as pa

    for sentence in kept.told:
        logging.getLogger(__name__).warning("%s", sentence)
    contents = [(folder / name).read_bytes() for name in kept.rows[file].to_pylist()]
    return kept.rows.append_column(picture, pa.array(contents, pa.large_binary()))


def _share(values: Sequence[Any], folder: Path) -> float:
    """Of the values, those that name a file."""
    return sum(isinstance(value, str) and _is_file(folder, value) for value in values) / max(1, len(values))


def _is_file(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):  # a text that is too long, or has a zero in it
        return False


def _visible(file: Path) -> bool:
    return not file.name.startswith(".") and file.is_file()
