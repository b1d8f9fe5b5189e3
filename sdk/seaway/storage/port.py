"""The port: files and folders moved by URI, whole or not at all."""

from pathlib import Path
from typing import Protocol

from seaway import registry
from seaway.errors import InvalidSpec
from seaway.storage.uri import scheme


class Storage(Protocol):
    """What a place that keeps files by URI does.

    A URI names a file or a folder. A reader sees the whole of what was uploaded or nothing: a folder whose upload was
    cut off does not exist. Empty folders are not kept.
    """

    def upload(self, path: Path, uri: str) -> None:
        """Put the file or folder `path` at `uri`, in the place of what was there; what is there already is kept.

        Raises:
            DataUnreadable: `path` does not exist, or a link in it leads out of it.
            StorageUnavailable: the place does not answer, refuses the credentials, or has no such bucket.
        """
        ...

    def download(self, uri: str, path: Path) -> None:
        """Put the file or folder at `uri` at `path`, in the place of what was there.

        Raises:
            DataUnreadable: nothing is there, or only part of an upload.
            StorageCorrupted: the bytes are not those that were uploaded.
            StorageUnavailable: the place does not answer or refuses the credentials.
        """
        ...

    def exists(self, uri: str) -> bool:
        """Whether a file or a wholly uploaded folder is at `uri`."""
        ...

    def list(self, uri: str) -> tuple[str, ...]:
        """The URIs of the files below the folder `uri`, sorted; none where nothing is there."""
        ...

    def remove(self, uri: str) -> None:
        """Remove the file or folder at `uri`; nothing happens where nothing is there."""
        ...


def storage_for(uri: str) -> Storage:
    """The storage that keeps `uri`; its settings come from the environment.

    Raises:
        InvalidSpec: no adapter for this scheme, or its settings are missing.
    """
    kept = registry.backends(Storage.__name__)
    if scheme(uri) not in kept:
        known = ", ".join(f"{name}://" for name in kept)
        raise InvalidSpec(f"No storage for {scheme(uri)}:// URIs; there are: {known} and plain paths.")
    storage: Storage = kept[scheme(uri)].load()()
    return storage
