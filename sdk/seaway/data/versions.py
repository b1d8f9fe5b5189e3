"""Versions of data: a manifest of files by their hash, in a folder or a bucket, that brings the files back."""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seaway.data.ingestion import describe
from seaway.errors import DataUnreadable, InvalidSpec, StorageCorrupted
from seaway.storage import read_json, sha256, storage_for, write_json
from seaway.storage.folder import whole_folder
from seaway.storage.uri import clean_key

LATEST = "latest"
DIGITS = 16  # of a version's hash
ORDER = 6  # digits of the number that orders a name's versions


@dataclass(frozen=True)
class Version:
    """What `version` names: the files' hashes, rows and columns by table, where they were read from, and a note.

    `made` is when it was kept first, in UTC.
    """

    name: str
    version: str
    files: Mapping[str, str]
    rows: Mapping[str, int]
    schema: Mapping[str, Mapping[str, str]]
    made: str
    note: str = ""
    read_from: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Versions:
    """The versions of one name in the store at `uri`."""

    uri: str
    name: str

    def __post_init__(self) -> None:
        if clean_key(self.name) != self.name or "/" in self.name or "@" in self.name:
            raise InvalidSpec(f"A data set's name is a plain word without '/' and '@', not {self.name!r}.")

    def keep(self, folder: Path, note: str = "", read_from: Mapping[str, Any] | None = None) -> tuple[Version, bool]:
        """Keep a folder of Parquet files; its version, and whether it is a new one.

        Raises:
            DataUnreadable: the folder holds no Parquet file.
            StorageUnavailable: the store does not answer.
        """
        tables = describe(folder)
        files = _hashes(folder)
        name, log = _name(files), self.log()
        if known := next((one for one in log if one.version == name), None):
            return known, False
        made = datetime.now(UTC).isoformat(timespec="seconds")
        version = Version(self.name, name, files, tables.rows, tables.schema, made, note, read_from)
        storage = storage_for(self.uri)
        for file, digest in files.items():
            if not storage.exists(self._object(digest)):
                storage.upload(folder / file, self._object(digest))
        with tempfile.TemporaryDirectory() as scratch:
            write_json(Path(scratch) / "manifest", asdict(version))
            storage.upload(Path(scratch) / "manifest", f"{self._folder}/{len(log):0{ORDER}}-{name}.json")
        return version, True

    def log(self) -> list[Version]:
        """All, the oldest first; none where nothing was kept."""
        storage = storage_for(self.uri)
        found = []
        with tempfile.TemporaryDirectory() as scratch:
            for number, uri in enumerate(storage.list(self._folder)):
                storage.download(uri, Path(scratch) / str(number))
                found.append(_read(Path(scratch) / str(number), uri))
        return found

    def find(self, version: str = LATEST) -> Version:
        """That of which the name begins so, or the latest.

        Raises:
            DataUnreadable: there is none, or more than one begins so.
        """
        log = self.log()
        found = log[-1:] if version == LATEST else [one for one in log if one.version.startswith(version)]
        if len(found) != 1 or not version:
            there = ", ".join(one.version for one in log) or "none"
            raise DataUnreadable(f"{len(found)} versions of {self.name!r} are {version!r}; there are: {there}.")
        return found[0]

    def checkout(self, version: str, target: Path) -> Version:
        """Bring the files of a version back, whole or not at all, in the place of `target`.

        Raises:
            DataUnreadable: there is no such version.
            StorageCorrupted: a file is not what was kept.
        """
        found, storage = self.find(version), storage_for(self.uri)
        with whole_folder(target) as draft:
            for file, digest in found.files.items():
                storage.download(self._object(digest), draft / file)
                if sha256(draft / file) != digest:
                    raise StorageCorrupted(
                        f"{self._object(digest)} is not what was kept as {file} of {self.name}@{version}."
                    )
        return found

    @property
    def _folder(self) -> str:
        return f"{self.uri.rstrip('/')}/versions/{self.name}"

    def _object(self, digest: str) -> str:
        return f"{self.uri.rstrip('/')}/objects/{digest[:2]}/{digest}"


def content_version(folder: Path) -> str:
    """The version that a folder of Parquet files is, whether it is kept or not."""
    return _name(_hashes(folder))


def names_with(uri: str, version: str) -> list[str]:
    """Names in the store at `uri` under which a version is kept that begins so."""
    parts = (kept.rsplit("/", maxsplit=2)[1:] for kept in storage_for(uri).list(f"{uri.rstrip('/')}/versions"))
    return sorted({name for name, file in parts if file.partition("-")[2].startswith(version)})


def _hashes(folder: Path) -> dict[str, str]:
    return {file.name: sha256(file) for file in sorted(folder.glob("*.parquet"))}


def _name(files: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:DIGITS]


def split_name(text: str) -> tuple[str, str]:
    """Name and version of `NAME@VERSION`; without one the latest."""
    name, _, version = text.partition("@")
    return name, version or LATEST


def _read(file: Path, uri: str) -> Version:
    try:
        return Version(**read_json(file))
    except TypeError as error:
        raise DataUnreadable(f"{uri} is no version of data ({error}); another edition wrote it.") from error


def shown(versions: Sequence[Version]) -> list[tuple[str, str, str, str]]:
    """Version, time, rows by table and note, the newest first."""
    return [
        (one.version, one.made, ", ".join(f"{rows:,} {table}" for table, rows in one.rows.items()), one.note)
        for one in reversed(versions)
    ]
