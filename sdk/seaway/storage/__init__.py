"""Files that are never half written, hashes, locks, objects found by name, files and folders moved by URI."""

from seaway.storage.files import (
    atomic_path,
    locked,
    read_json,
    read_text,
    sha256,
    write_changed,
    write_json,
    write_private,
)
from seaway.storage.folder import FolderStorage
from seaway.storage.import_string import load_object
from seaway.storage.json_values import as_json
from seaway.storage.port import Storage, storage_for
from seaway.storage.uri import Uri

__all__ = [
    "FolderStorage",
    "Storage",
    "Uri",
    "as_json",
    "atomic_path",
    "load_object",
    "locked",
    "read_json",
    "read_text",
    "sha256",
    "storage_for",
    "write_changed",
    "write_json",
    "write_private",
]
