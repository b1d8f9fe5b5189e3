"""Files that are never half written, content hashes, and a lock between processes."""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable

CHUNK = 1 << 20  # bytes read at a time when hashing


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it is flushed to disk and renamed over `target`.

    A crash, a full disk or an exception leaves `target` as it was and the temporary file removed. The file's mode is
    the usual one, 0666 less the umask; `write_private` is for secrets.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    draft.touch(exist_ok=False)
    try:
        yield draft
        _flush(draft)
        draft.replace(target)
        _flush(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_changed(target: Path, text: str) -> bool:
    """Write a text that git keeps unless the file has it; whether it was written."""
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return False
    with atomic_path(target) as draft:
        draft.write_text(text, encoding="utf-8")
    return True


def write_private(target: Path, text: str) -> None:
    """Write a text that only the owner of the file may read, atomically."""
    with atomic_path(target) as draft:
        draft.chmod(0o600)
        draft.write_text(text, encoding="utf-8")


def write_json(target: Path, value: object) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_path(target) as draft:
        draft.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_text(source: Path) -> str:
    """Read a file of text that somebody names.

    Raises:
        DataUnreadable: the file is missing, or is no UTF-8.
    """
    try:
        return source.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise DataUnreadable(f"There is no file {source}.") from error
    except UnicodeDecodeError as error:
        raise DataUnreadable(f"{source} is no text in UTF-8 ({error}); write it anew.") from error


def read_json(source: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataUnreadable: the file is missing or is no JSON.
    """
    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataUnreadable(f"{source} does not exist; the step that writes it has not run or failed.") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataUnreadable(f"{source} is not valid JSON ({error}); write it anew.") from error


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock on `file`, made when missing; other processes of this machine wait for it.

    The kernel frees it when the process ends, however it ends.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def sha256(path: Path) -> str:
    """Content hash of a file, or of a folder: its relative paths and their contents, in sorted order."""
    digest = hashlib.sha256()
    if path.is_file():
        _feed(digest, path)
        return digest.hexdigest()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        digest.update(os.fsencode(file.relative_to(path)) + b"\0")
        _feed(digest, file)
    return digest.hexdigest()


def _feed(digest: "hashlib._Hash", file: Path) -> None:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
