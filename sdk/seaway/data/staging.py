"""Data brought to a disk near by, by content, once for all steps and pods that share the folder."""

import hashlib
import logging
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from seaway.data.sources.fetched import WEB, from_web
from seaway.errors import DataUnreadable
from seaway.storage import locked, read_json, sha256, storage_for, write_json
from seaway.storage.folder import files_below

READ_ONLY = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Staged:
    """Where data lie, the hash of their content, their bytes, and whether this call has fetched them."""

    path: Path
    sha256: str
    bytes: int
    fetched: bool


def stage(uri: str, folder: Path, version: str = "", foreign: bool = False) -> Staged:
    """Bring a file or folder to `folder`, unless this version of it is there already and whole.

    Who asks for the same meanwhile, on this machine or on another that mounts the folder, waits for the one that
    fetches. The same content is kept once. Files are read-only, for others read them too.

    Args:
        uri: A path, `s3://` or, of one file, `https://`.
        folder: That steps or pods share.
        version: Names the content, such as a version of data, a commit or a hash; empty fetches anew each time.
        foreign: A folder that other tools wrote: take all that lies below it. One that Seaway wrote is taken whole.

    Raises:
        DataUnreadable: nothing is there, or not all of it.
        StorageUnavailable: the storage does not answer.
    """
    name = hashlib.sha256(f"{uri}\0{version}".encode()).hexdigest()
    known = folder / "known" / f"{name}.json"
    with locked(folder / "locks" / name):
        if version and (found := _whole(known, folder)):
            return found
        staged = _fetch(uri, folder, foreign)
        write_json(known, {"uri": uri, "version": version, "sha256": staged.sha256, "name": staged.path.name})
        return staged


def _whole(known: Path, folder: Path) -> Staged | None:
    """What was staged before, if it is still what it was."""
    if not known.exists():
        return None
    told = read_json(known)
    path = folder / "objects" / told["sha256"] / told["name"]
    if path.exists() and sha256(path) == told["sha256"]:
        return Staged(path, told["sha256"], _bytes(path), fetched=False)
    logger.warning("%s is not what was staged; it is fetched anew.", path)
    return None


def _fetch(uri: str, folder: Path, foreign: bool) -> Staged:
    name = PurePosixPath(uri.partition("?")[0].rstrip("/")).name
    with _draft(folder) as draft:
        _download(uri, draft / name, foreign)
        digest = sha256(draft / name)
        target = folder / "objects" / digest
        with locked(folder / "locks" / digest):
            if (target / name).exists() and sha256(target / name) == digest:
                return Staged(target / name, digest, _bytes(target / name), fetched=True)
            shutil.rmtree(target, ignore_errors=True)
            for file in _files(draft / name):
                file.chmod(READ_ONLY)
            target.parent.mkdir(exist_ok=True)
            draft.rename(target)
    return Staged(target / name, digest, _bytes(target / name), fetched=True)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    draft = folder / "drafts" / uuid.uuid4().hex
    draft.mkdir(parents=True)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _download(uri: str, target: Path, foreign: bool) -> None:
    if uri.partition("://")[0] in WEB:
        from_web(uri, target)
        return
    storage = storage_for(uri)
    if not foreign:
        storage.download(uri, target)
        return
    below = storage.list(uri)
    if not below:
        raise DataUnreadable(f"Nothing lies below {uri}.")
    for file in below:
        storage.download(file, target / file.removeprefix(uri.rstrip("/") + "/"))


def _files(path: Path) -> Iterator[Path]:
    yield from [path] if path.is_file() else files_below(path)


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))
