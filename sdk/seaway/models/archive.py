"""Unpacking of package archives that come from elsewhere."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from seaway.errors import PackageRefused
from seaway.models.atomic_folder import staged_folder
from seaway.models.package import check_name
from seaway.models.package_files import allowed_files

MAX_BYTES = 16 << 30  # unpacked, all files together
CHUNK = 1 << 20
ZIP_FILE_TYPE = 0o170000  # the type bits of a Unix mode, in the upper half of a member's external attributes
ZIP_REGULAR = 0o100000

Member = tuple[str, IO[bytes] | None]


def unpack(archive: Path, output: Path, max_bytes: int = MAX_BYTES) -> Path:
    """Unpack a `.tar`, `.tar.gz` or `.zip` whose members are the files of one package, without a folder around them.

    The result is not trusted yet: `verify` it. Nothing is written outside a folder that replaces `output` on success.

    Raises:
        PackageRefused: unsafe or unknown names, links, devices, a truncated archive, or more than `max_bytes`.
    """
    try:
        with staged_folder(output) as draft, _members(archive) as members:
            _write_all(archive, members, draft, max_bytes)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise PackageRefused(
            f"{archive} is truncated or no archive ({error}); get it again from its source."
        ) from error
    except OSError as error:
        raise PackageRefused(f"{archive} could not be unpacked ({error}); nothing of it was left.") from error
    return output


def _write_all(archive: Path, members: Iterator[Member], draft: Path, max_bytes: int) -> None:
    left, seen = max_bytes, set[str]()
    for name, stream in members:
        check_name(name, archive)
        if stream is None or name in seen:
            raise PackageRefused(f"{name} in {archive} is a link, a device, a folder or there twice; pack plain files.")
        seen.add(name)
        left -= _write(archive, stream, draft / name, left)
    if not seen:
        raise PackageRefused(f"{archive} is empty; it should hold {', '.join(sorted(allowed_files()))}.")


def _write(archive: Path, stream: IO[bytes], target: Path, left: int) -> int:
    written = 0
    with target.open("xb") as output:
        while chunk := stream.read(CHUNK):
            written += len(chunk)
            if written > left:
                raise PackageRefused(
                    f"{archive} unpacks to more bytes than are allowed; its source is not to be trusted."
                )
            output.write(chunk)
    return written


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield ((info.filename, opened.open(info) if _is_plain(info) else None) for info in opened.infolist())
    else:
        with tarfile.open(archive, "r:*") as opened_tar:
            yield ((member.name, opened_tar.extractfile(member) if member.isreg() else None) for member in opened_tar)


def _is_plain(info: zipfile.ZipInfo) -> bool:
    kind = (info.external_attr >> 16) & ZIP_FILE_TYPE
    return not info.is_dir() and kind in (0, ZIP_REGULAR)
