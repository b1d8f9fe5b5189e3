"""The step cache of local runs: kfp.local's own, keyed by the code too, and never trusting a file that has changed."""

import hashlib
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kfp import dsl
from kfp.local.cache import LocalCache

from seaway.errors import DataUnreadable
from seaway.kfp import catalogue
from seaway.storage import read_json, sha256, write_json

PACKAGES = ("seaway", "seaway_components", "seaway_examples")


def code_hash(pipeline_file: Path | None = None) -> str:
    """What a step's result depends on beside its arguments: our sources, the user's beside the pipeline, the libraries.

    kfp.local's key has the component's own text, image and arguments, but not the library which that text calls.
    """
    digest = hashlib.sha256(sys.version.encode())
    for file in _sources(pipeline_file):
        digest.update(file.as_posix().encode() + b"\0" + file.read_bytes())
    for distribution in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        digest.update(distribution.name.encode())
    return digest.hexdigest()[:16]


def _sources(pipeline_file: Path | None) -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted(catalogue.root(package).rglob("*.py"))
    if pipeline_file is not None and pipeline_file.is_file():
        yield from sorted(pipeline_file.absolute().parent.glob("*.py"))


class VerifiedCache(LocalCache):  # type: ignore[misc]
    """kfp.local's cache, which also remembers what its files held: a deleted or changed file is a miss."""

    def put(self, key: str, outputs: dict[str, Any]) -> None:
        """Keep the outputs and the content hash of each artifact."""
        paths = list(_paths(outputs))
        for path in paths:
            # metrics live in metadata alone, but kfp's cache takes a missing file for a lost artifact
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        write_json(self._hashes(key), {str(path): sha256(path) for path in paths})
        super().put(key, outputs)

    def get(self, key: str) -> dict[str, Any] | None:
        """The outputs kept under `key`; None where there are none or where a file is no longer as it was."""
        outputs: dict[str, Any] | None = super().get(key)
        if outputs is None or not self._intact(key, outputs):
            return None
        return outputs

    def _intact(self, key: str, outputs: dict[str, Any]) -> bool:
        try:
            hashes = read_json(self._hashes(key))
        except DataUnreadable:
            return False
        return all(path.exists() and hashes.get(str(path)) == sha256(path) for path in _paths(outputs))

    def _hashes(self, key: str) -> Path:
        return Path(self.cache_root) / f"{key}.sha256.json"


def _paths(outputs: dict[str, Any]) -> Iterator[Path]:
    """The local paths of all artifacts among a task's outputs."""
    for value in outputs.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dsl.Artifact) and item.uri.startswith("/"):
                yield Path(item.uri)
