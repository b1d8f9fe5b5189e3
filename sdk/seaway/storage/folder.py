"""Storage in a folder of this machine, or one that all pods mount."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from seaway.errors import DataUnreadable, StorageUnavailable
from seaway.storage.files import atomic_path
from seaway.storage.uri import SCHEME, local_path


class FolderStorage:
    """The `Storage` port on paths and `file://` URIs; a copy appears under its name only when it is whole."""

    def upload(self, path: Path, uri: str) -> None:
        """Copy `path` to `uri`."""
        _copied(path, local_path(uri))

    def download(self, uri: str, path: Path) -> None:
        """Copy `uri` to `path`."""
        _copied(local_path(uri), path)

    def exists(self, uri: str) -> bool:
        """Whether a file or folder is at `uri`."""
        return local_path(uri).exists()

    def list(self, uri: str) -> tuple[str, ...]:
        """The files below `uri`, in the form that `uri` has."""
        below = [file.relative_to(local_path(uri)).as_posix() for file in files_below(local_path(uri))]
        return tuple(f"{uri.rstrip('/')}/{quote(name) if SCHEME.match(uri) else name}" for name in below)

    def remove(self, uri: str) -> None:
        """Remove the file or folder at `uri`."""
        _remove(local_path(uri))


def files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder, links among them followed.

    Raises:
        DataUnreadable: a link leads out of the folder, so it is no part of it, or in a circle.
    """
    inside = _followed(folder)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and not _followed(path).is_relative_to(inside):
            raise DataUnreadable(f"{path} is a link that leads out of {folder}; put the file itself there.")
        if path.is_file():
            yield path


def _followed(path: Path) -> Path:
    """The path without links."""
    try:
        return path.resolve()
    except RuntimeError as error:
        raise DataUnreadable(
            f"{path} is, or is behind, a link that leads to itself; put what it stands for there."
        ) from error


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`; on success it takes the place of `target`, on an error it is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.parent / f".{target.name}.{uuid4().hex}.tmp"
    draft.mkdir()
    try:
        yield draft
        _replace(draft, target)
    finally:
        _remove(draft)


def _copied(source: Path, target: Path) -> None:
    """Copy, and tell a disk that is full or not to be written as other storages tell that they do not answer."""
    try:
        _copy(source, target)
    except OSError as error:
        raise StorageUnavailable(
            f"{source} cannot be copied to {target} ({error.strerror or error}): see that the folder can be written "
            "and has room; nothing of it is left there."
        ) from error


def _copy(source: Path, target: Path) -> None:
    if not source.exists():
        raise DataUnreadable(f"{source} does not exist, so it cannot be copied to {target}.")
    if target.exists() and source.samefile(target):
        return
    if source.is_file():
        _copy_file(source, target)
        return
    with whole_folder(target) as draft:
        for file in files_below(source):
            copy = draft / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def _copy_file(source: Path, target: Path) -> None:
    with atomic_path(target) as draft:
        shutil.copyfile(source, draft)


def _replace(draft: Path, target: Path) -> None:
    if not target.exists():
        draft.replace(target)
        return
    retired = draft.with_suffix(".old")
    target.replace(retired)
    draft.replace(target)
    _remove(retired)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
