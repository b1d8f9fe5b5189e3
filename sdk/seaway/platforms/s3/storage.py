"""The `Storage` port on S3: SeaweedFS, MinIO, Ceph, Amazon.

Each file is one object whose metadata hold its SHA-256. A folder is its files' objects and, written last, a manifest
that lists them with sizes and hashes: without it there is no folder, and a reader takes no more and no less than it
lists. Large files travel in parts of 16 MiB, several at a time; a part that fails is sent or read again.
"""

import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from minio import Minio
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from urllib3.exceptions import ProtocolError, TimeoutError
from urllib3.util import Retry

from seaway.errors import DataUnreadable, InvalidSpec, StorageCorrupted, StorageUnavailable
from seaway.platforms.s3 import connection
from seaway.platforms.s3.errors import explained
from seaway.storage import Uri, atomic_path, sha256
from seaway.storage.folder import files_below, whole_folder
from seaway.storage.uri import clean_key

PART = 16 << 20  # bytes; S3 takes 5 MiB to 5 GiB and at most 10,000 parts a file
MOST_PARTS = 10_000
FILES_AT_ONCE = 4
PARTS_AT_ONCE = 4  # of one file; with FILES_AT_ONCE bounds the memory at about 256 MiB
BLOCK = 1 << 20  # bytes read from the network at a time
MANIFEST = ".seaway-manifest.json"
SHA256 = "x-amz-meta-sha256"
MISSING = ("NoSuchKey", "NoSuchVersion")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class File:
    """One file of a folder: its relative path, size in bytes and content hash.

    Raises:
        InvalidSpec: the path could lead out of the folder.
    """

    path: str
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        clean_key(self.path)


@dataclass(frozen=True)
class S3Storage:
    """The `Storage` port on the S3 server that `client` reaches; `retry` is its patience with a broken download."""

    client: Minio
    retry: Retry = field(default=connection.PATIENCE)

    def upload(self, path: Path, uri: str) -> None:
        """Put a file or folder; of a folder, files that are there already with the same hash are not sent again."""
        target = Uri.parse(uri)
        if not path.exists():
            raise DataUnreadable(f"{path} does not exist, so it cannot be uploaded to {uri}.")
        with explained(target):
            if path.is_dir():
                self._put_folder(path, target)
            else:
                self._put(path, target, sha256(path))

    def download(self, uri: str, path: Path) -> None:
        """Get a file or a whole folder, each file checked against its SHA-256 before it gets its name."""
        source = Uri.parse(uri)
        with explained(source):
            if found := self._stat(source):
                self._get(source, path, _recorded(found))
            elif (files := self._manifest(source)) is not None:
                self._get_folder(source, files, path)
            elif not self.client.bucket_exists(source.bucket):
                raise StorageUnavailable(f"There is no bucket {source.bucket}, so nothing to read at {uri}: make it.")
            else:
                raise DataUnreadable(
                    f"Nothing whole is at {uri}: there is no such object, and no folder whose upload was finished."
                )

    def exists(self, uri: str) -> bool:
        """Whether a file or a wholly uploaded folder is there."""
        target = Uri.parse(uri)
        with explained(target):
            return bool(self._stat(target) or self._stat(target / MANIFEST))

    def list(self, uri: str) -> tuple[str, ...]:
        """The objects below a folder, whether its upload is finished or not; manifests are not told."""
        folder = Uri.parse(uri)
        with explained(folder):
            keys = sorted(item.object_name or "" for item in self._below(folder))
        return tuple(str(Uri(folder.scheme, folder.bucket, key)) for key in keys if not key.endswith(MANIFEST))

    def remove(self, uri: str) -> None:
        """Remove a file, or all objects below a folder, its manifest first.

        Raises:
            InvalidSpec: the URI names a whole bucket.
        """
        target = Uri.parse(uri)
        if not target.key:
            raise InvalidSpec(f"{uri} is a whole bucket, which Seaway never empties; name a file or folder in it.")
        with explained(target):
            self.client.remove_object(target.bucket, (target / MANIFEST).key)
            self._remove(target, [item.object_name or "" for item in self._below(target)])
            self.client.remove_object(target.bucket, target.key)

    def _put_folder(self, path: Path, target: Uri) -> None:
        files = _inventory(path)
        present = self._present(target)
        missing = files - present
        if present != files:
            self.client.remove_object(target.bucket, (target / MANIFEST).key)
        _at_once(lambda file: self._put(path / file.path, target / file.path, file.sha256), missing)
        gone = {file.path for file in present} - {file.path for file in files}
        self._remove(target, [(target / path).key for path in gone])
        self._put_manifest(files, target)
        size = sum(file.bytes for file in missing)
        logger.info("%s: %d of %d files sent, %.1f MB", target, len(missing), len(files), size / 1e6)

    def _present(self, target: Uri) -> frozenset[File]:
        """The files of the last finished upload that are still there."""
        sizes = {item.object_name: item.size for item in self._below(target)}
        listed = self._manifest(target) or frozenset()
        return frozenset(file for file in listed if sizes.get((target / file.path).key) == file.bytes)

    def _put(self, path: Path, target: Uri, digest: str) -> None:
        size = path.stat().st_size
        try:
            self.client.fput_object(
                target.bucket,
                target.key,
                str(path),
                metadata={SHA256: digest},
                part_size=max(PART, -(-size // MOST_PARTS)),
                num_parallel_uploads=PARTS_AT_ONCE,
            )
        except S3Error as error:
            if error.code != "NoSuchUpload":  # else a repeated "complete" whose first answer was lost
                raise
        found = self._stat(target)
        if found is None or (found.size, _recorded(found)) != (size, digest):
            raise StorageUnavailable(f"{target} is not what was just uploaded; does another job write there?")

    def _put_manifest(self, files: Iterable[File], target: Uri) -> None:
        listed = sorted((asdict(file) for file in files), key=lambda file: str(file["path"]))
        with tempfile.TemporaryDirectory(prefix="seaway-") as folder:
            manifest = Path(folder) / MANIFEST
            manifest.write_text(json.dumps({"files": listed}, indent=1), encoding="utf-8")
            self._put(manifest, target / MANIFEST, sha256(manifest))

    def _manifest(self, target: Uri) -> frozenset[File] | None:
        """The files that a finished upload of a folder has; None where there is none."""
        source = target / MANIFEST
        found = self._stat(source)
        if found is None:
            return None
        with tempfile.TemporaryDirectory(prefix="seaway-") as folder:
            self._get(source, Path(folder) / MANIFEST, _recorded(found))
            text = (Path(folder) / MANIFEST).read_text(encoding="utf-8")
        try:
            return frozenset(File(**entry) for entry in json.loads(text)["files"])
        except (ValueError, TypeError, KeyError, InvalidSpec) as error:
            raise StorageCorrupted(f"{source} is no list of files ({error}); upload the folder anew.") from error

    def _get_folder(self, source: Uri, files: Iterable[File], path: Path) -> None:
        with whole_folder(path) as draft:
            _at_once(lambda file: self._get(source / file.path, draft / file.path, file.sha256), files)

    def _get(self, source: Uri, path: Path, digest: str | None) -> None:
        found = self._stat(source)
        if found is None:
            raise DataUnreadable(f"{source} is missing although its folder's manifest lists it; upload it anew.")
        with atomic_path(path) as draft:
            self._get_parts(source, found, draft)
            if digest is None:
                logger.warning("%s was not uploaded by Seaway: it has no SHA-256 to check", source)
            elif (actual := sha256(draft)) != digest:
                raise StorageCorrupted(f"{source} has the SHA-256 {actual}, not {digest}: it changed, or was damaged.")

    def _get_parts(self, source: Uri, found: Object, draft: Path) -> None:
        size, etag = found.size or 0, found.etag or ""
        with draft.open("r+b") as file, ThreadPoolExecutor(PARTS_AT_ONCE) as pool:
            os.truncate(file.fileno(), size)
            starts = range(0, size, PART)
            for _ in pool.map(lambda start: self._get_part(source, etag, start, size, file.fileno()), starts):
                pass

    def _get_part(self, source: Uri, etag: str, start: int, size: int, file: int) -> None:
        retry = self.retry
        while True:
            try:
                self._stream(source, etag, start, min(PART, size - start), file)
                return
            except (ProtocolError, TimeoutError) as error:
                logger.warning("%s: part at byte %d broke off (%s); reading it again", source, start, error)
                retry = retry.increment("GET", f"/{source.bucket}/{source.key}", error=error)
                retry.sleep()

    def _stream(self, source: Uri, etag: str, start: int, length: int, file: int) -> None:
        """Write the bytes of one part at their place; the ETag keeps parts of two versions from being mixed."""
        headers: dict[str, str | list[str] | tuple[str]] = {"If-Match": f'"{etag}"'}
        response = self.client.get_object(source.bucket, source.key, start, length, request_headers=headers)
        try:
            for block in response.stream(BLOCK):
                os.pwrite(file, block, start)
                start += len(block)
        finally:
            response.close()
            response.release_conn()

    def _stat(self, target: Uri) -> Object | None:
        if not target.key:
            return None
        try:
            return self.client.stat_object(target.bucket, target.key)
        except S3Error as error:
            if error.code in MISSING:
                return None
            raise

    def _below(self, folder: Uri) -> Iterator[Object]:
        prefix = f"{folder.key}/" if folder.key else ""
        return (item for item in self.client.list_objects(folder.bucket, prefix, recursive=True) if not item.is_dir)

    def _remove(self, target: Uri, keys: Iterable[str]) -> None:
        for error in self.client.remove_objects(target.bucket, [DeleteObject(key) for key in keys]):
            raise StorageUnavailable(f"{error.name} cannot be removed from {target.bucket}: {error.message}.")


def _inventory(folder: Path) -> frozenset[File]:
    return frozenset(
        File(file.relative_to(folder).as_posix(), file.stat().st_size, sha256(file)) for file in files_below(folder)
    )


def _recorded(found: Object) -> str | None:
    digest: str | None = (found.metadata or {}).get(SHA256)
    return digest


def _at_once(transfer: Callable[[File], None], files: Iterable[File]) -> None:
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        for _ in pool.map(transfer, sorted(files, key=lambda file: file.path)):
            pass


def s3() -> S3Storage:
    """The storage of s3:// URIs: the endpoint that the environment names, else Amazon's."""
    return S3Storage(connection.connect(connection.AMAZON))


def kubeflow() -> S3Storage:
    """The storage of minio:// URIs: the endpoint that the environment names, else that of Kubeflow Pipelines."""
    return S3Storage(connection.connect(connection.KUBEFLOW))
