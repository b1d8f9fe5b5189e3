"""The step cache of local runs: kfp.local's own, by code and contents, and never trusting a file that has changed."""

import hashlib
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kfp import dsl
from kfp.local.cache import LocalCache

from seaway.errors import DataUnreadable
from seaway.kfp import catalog
from seaway.storage import read_json, sha256, write_json

NUMBER = re.compile(r"-[0-9]+$")
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
        yield from sorted(catalog.root(package).rglob("*.py"))
    if pipeline_file is not None and pipeline_file.is_file():
        yield from sorted(pipeline_file.absolute().parent.glob("*.py"))


class VerifiedCache(LocalCache):  # type: ignore[misc]
    """kfp.local's cache by content: of the inputs in its key, and of the outputs, so that a changed file is a miss.

    kfp.local's key has the inputs' places instead, and a step that is never reused writes to a new place in each run.
    """

    def compute_key(
        self, component_name: str, image: str, full_command: list[str], arguments: Mapping[str, Any], **others: Any
    ) -> str:
        """The key of a step; two input artifacts are the same where type, content and metadata are.

        The compiler numbers a component that a nested pipeline uses as well; `full_command` tells it from any other.
        """
        contents = {name: _by_content(value) for name, value in arguments.items()}
        name = NUMBER.sub("", component_name)
        key: str = super().compute_key(name, image, full_command, contents, **others)
        return key

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


def _by_content(value: Any) -> Any:
    """An argument with what its artifacts hold in the place of where they are; a remote one is known by its URI."""
    if isinstance(value, list):
        return [_by_content(item) for item in value]
    if not isinstance(value, dsl.Artifact):
        return value
    path = Path(value.uri)
    content = sha256(path) if path.is_absolute() and path.exists() else value.uri
    return {"type": value.schema_title, "content": content, "metadata": value.metadata}


def _paths(outputs: dict[str, Any]) -> Iterator[Path]:
    """The local paths of all artifacts among a task's outputs."""
    for value in outputs.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dsl.Artifact) and item.uri.startswith("/"):
                yield Path(item.uri)
