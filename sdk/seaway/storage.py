"""Files that are never half written, content hashes, and objects found by name."""

import hashlib
import importlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable, InvalidSpec

CHUNK = 1 << 20  # bytes read at a time when hashing


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it is flushed to disk and renamed over `target`.

    A crash, a full disk or an exception leaves `target` as it was and the temporary file removed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    draft = Path(name)
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


def write_json(target: Path, value: object) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_path(target) as draft:
        draft.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(source: Path) -> Any:
    """Read a JSON file.

    Raises:
        DataUnreadable: the file is missing or is no JSON.
    """
    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataUnreadable(f"{source} does not exist; the step that writes it has not run or failed.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataUnreadable(f"{source} is not valid JSON ({error}); write it anew.") from error


def sha256(path: Path) -> str:
    """Content hash of a file, or of a folder: its relative paths and their contents, in sorted order."""
    digest = hashlib.sha256()
    if path.is_file():
        _feed(digest, path)
        return digest.hexdigest()
    for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
        digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        _feed(digest, file)
    return digest.hexdigest()


def _feed(digest: "hashlib._Hash", file: Path) -> None:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)


def load_object(reference: str) -> Any:
    """Import `package.module:attribute`.

    Raises:
        InvalidSpec: the reference has another form, or module or attribute do not exist.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise InvalidSpec(f"{reference!r} is not of the form 'package.module:attribute'.")
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        raise InvalidSpec(f"{reference!r} cannot be imported: {error}. Is its folder on PYTHONPATH?") from error
    except AttributeError as error:
        raise InvalidSpec(f"Module {module_name!r} has no {attribute!r}.") from error
