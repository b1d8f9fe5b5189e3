"""A folder of code as a layer of an image: the same files always give the same bytes."""

import gzip
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from seaway.errors import InvalidSpec
from seaway.kfp.image.reference import digest_of

PLACE = "opt/project"  # which Seaway's images import from
LARGEST = 100 << 20  # bytes: code, not data
SHOWN = 3
SKIPPED = {"__pycache__", "node_modules", "venv", "site-packages"}


@dataclass(frozen=True)
class Layer:
    """A gzipped tar; `diff_id` is the digest of the tar itself, which an image's configuration lists."""

    content: bytes
    diff_id: str

    @property
    def digest(self) -> str:
        return digest_of(self.content)


def code_layer(folder: Path) -> Layer:
    """What git would take of a folder, else all of it; never what is hidden.

    Raises:
        InvalidSpec: there is nothing to take, or too much to be code.
    """
    files = sorted(set(_files(folder)))
    if not files:
        raise InvalidSpec(f"{folder} has no files for an image.")
    _check_size(folder, files)
    raw = BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for parent in sorted({parent for file in files for parent in file.parents}):
            archive.addfile(_folder(parent))
        for file in files:
            with (folder / file).open("rb") as content:
                archive.addfile(_file(folder, file), content)
    plain = raw.getvalue()
    return Layer(gzip.compress(plain, mtime=0), digest_of(plain))


def _files(folder: Path) -> Iterator[Path]:
    """Relative paths."""
    known = _known_to_git(folder)
    every = known if known is not None else [path.relative_to(folder) for path in folder.rglob("*")]
    for path in every:
        hidden = any(part.startswith(".") or part in SKIPPED for part in path.parts)
        if not hidden and (folder / path).is_file() and not (folder / path).is_symlink():
            yield path


def _known_to_git(folder: Path) -> list[Path] | None:
    """Files that are in git or could be; None outside of one."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        told = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return [Path(name) for name in told.decode("utf-8", "surrogateescape").split("\0") if name]


def _check_size(folder: Path, files: list[Path]) -> None:
    sizes = {file: (folder / file).stat().st_size for file in files}
    if sum(sizes.values()) > LARGEST:
        largest = sorted(sizes, key=lambda file: -sizes[file])[:SHOWN]
        told = ", ".join(f"{file} ({sizes[file] >> 20} MiB)" for file in largest)
        raise InvalidSpec(
            f"{folder} has {sum(sizes.values()) >> 20} MiB, more than the {LARGEST >> 20} MiB of an image's code. The "
            f"largest are {told}: have git ignore what is no code."
        )


def _folder(path: Path) -> tarfile.TarInfo:
    entry = tarfile.TarInfo((PLACE / path).as_posix())
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry


def _file(folder: Path, path: Path) -> tarfile.TarInfo:
    """Without owner, time or other rights than to read and run it."""
    status = (folder / path).stat()
    entry = tarfile.TarInfo((PLACE / path).as_posix())
    entry.size, entry.mode = status.st_size, 0o755 if status.st_mode & 0o100 else 0o644
    return entry
