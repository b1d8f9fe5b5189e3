"""A file or folder by path, URI or web address, whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import urllib3

from seaway.errors import DataUnreadable
from seaway.storage import storage_for

WEB = ("http", "https")
OK = 200
TIMEOUT = urllib3.Timeout(connect=30, read=120)
RETRIES = urllib3.Retry(total=4, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504), raise_on_status=False)
PART = 1 << 20


@contextmanager
def fetched(place: str) -> Iterator[Path]:
    """What lies at `place`, under its own name: itself where it is a path, else a copy until the end of the block.

    Raises:
        DataUnreadable: nothing is there, or only part of it arrived.
        StorageUnavailable: the storage does not answer.
    """
    address = urlsplit(place)
    if "://" not in place:
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="seaway-data-") as folder:
        target = Path(folder) / (PurePosixPath(unquote(address.path)).name or "data")
        if address.scheme in WEB:
            from_web(place, target)
        else:
            storage_for(place).download(place, target)
        yield target


def from_web(place: str, target: Path) -> None:
    shown = place.split("?", maxsplit=1)[0]  # a query may hold a signature
    try:
        with (
            urllib3.PoolManager(timeout=TIMEOUT, retries=RETRIES) as pool,
            pool.request("GET", place, preload_content=False, enforce_content_length=True) as answer,
        ):
            if answer.status != OK:
                raise DataUnreadable(f"{shown} answered {answer.status}; see that the address is right.")
            with target.open("wb") as file:
                for part in answer.stream(PART, decode_content=True):
                    file.write(part)
    except urllib3.exceptions.HTTPError as error:
        raise DataUnreadable(f"{shown} could not be read to its end ({type(error).__name__}); try again.") from error
