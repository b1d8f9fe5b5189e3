"""What a column of pictures holds: the bytes of files, or where files are. URIs are fetched once, into the examples.

So the hash of the examples covers the pixels, and neither a training nor a server fetches anything.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from seaway.errors import DataUnreadable, SeawayError
from seaway.storage import storage_for
from seaway.storage.uri import local_path, scheme

THREADS = 8  # that fetch at a time


def contents(values: Sequence[Any], where: str) -> list[bytes]:
    """The bytes of each value; text is a path or a URI.

    Raises:
        DataUnreadable: a value is missing or neither bytes nor text, or there is no such file.
        StorageUnavailable: it cannot be fetched.
    """
    strange = [place for place, value in enumerate(values) if not isinstance(value, (bytes, bytearray, str))]
    if strange:
        raise DataUnreadable(
            f"{where} has no file in {len(strange)} of {len(values)} rows, the first of them {strange[0]}; give the "
            "bytes of a file or its URI, or leave those rows out."
        )
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda value: _content(value, where), values))


def _content(value: bytes | bytearray | str, where: str) -> bytes:
    if not isinstance(value, str):
        return bytes(value)
    try:
        return local_path(value).read_bytes() if scheme(value) == "file" else _fetched(value)
    except (OSError, SeawayError) as error:
        if isinstance(error, SeawayError) and not isinstance(error, DataUnreadable):
            raise
        raise DataUnreadable(f"{where} names {value}, which cannot be read: {error}") from error


def _fetched(uri: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="seaway-picture-") as folder:
        target = Path(folder) / "content"
        storage_for(uri).download(uri, target)
        return target.read_bytes()
