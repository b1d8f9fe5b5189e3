"""The step cache of local runs: by code and contents, and never trusting a file that has changed.

What a step depends on is told part by part, so that a step that runs again can say which of them is another one.
"""

import hashlib
import json
import logging
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from google.protobuf import json_format

from seaway.data.version import SOURCE
from seaway.errors import DataUnreadable
from seaway.kfp import catalog
from seaway.kfp.local import kfp_launcher, observed, uses
from seaway.kfp.local.artifacts import Artifact
from seaway.kfp.local.inputs import artifacts_in
from seaway.storage import read_json, sha256, write_json

log = logging.getLogger(__name__)

PACKAGES = ("seaway", "seaway_components", "seaway_examples")
OURS = "Seaway's code or the installed libraries"
LIVE = "live"  # the metadata of an artifact that says of something which goes on outside the run, as an endpoint does
REUSED = "nothing that it depends on has changed"
Parts = Mapping[str, str]  # what a step depends on -> its version
Outputs = Mapping[str, Any]


@dataclass(frozen=True)
class Ran:
    """A step that has just run: its name in the cache, its log, and when it began, in seconds since 1970."""

    name: str
    log: Path
    begun: float


@dataclass(frozen=True)
class Found:
    """What the cache has for a step: its outputs, or None; and why."""

    outputs: dict[str, Any] | None
    why: str


@cache
def code_hash() -> str:
    """The version of our sources and of the libraries."""
    digest = hashlib.sha256(sys.version.encode())
    for package in PACKAGES:
        for file in sorted(catalog.root(package).rglob("*.py")):
            digest.update(file.as_posix().encode() + b"\0" + file.read_bytes())
    for distribution in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        digest.update(f"{distribution.name} {_installed(distribution / 'RECORD')}".encode())
    return digest.hexdigest()


def _installed(record: Path) -> str:
    """When a library was installed: the same version may be installed with other code."""
    return f"{(stat := record.stat()).st_size} {stat.st_mtime_ns}" if record.is_file() else ""


@dataclass(frozen=True)
class StepCache:
    """Outputs of steps below `folder`, by what a step is and what it is given."""

    folder: Path

    def parts(self, component: Any, container: Any, inputs: Mapping[str, Any], own: str = "") -> Parts:
        """What a step depends on; two input artifacts are the same where type, content and metadata are.

        `own` is a key that the pipeline itself gives: then the values are its author's to vouch for.
        """
        told = [json_format.MessageToDict(component.output_definitions), json_format.MessageToDict(container)]
        given = (
            {"the pipeline's own key": own} if own else {f"input {name}": _told(one) for name, one in inputs.items()}
        )
        return {
            "its own code, image or variables": json.dumps(told, sort_keys=True),
            OURS: code_hash(),
            **given,
            **_reached(container, inputs),
        }

    def put_if_same(
        self, step: Ran, parts: Parts, container: Any, inputs: Mapping[str, Any], made: Outputs, aside: Sequence[Path]
    ) -> None:
        """Keep what a step gave, unless what it reaches was edited meanwhile: it may have read either.

        What cannot be read, such as a link into /proc, cannot be compared later, so it is not kept. What it was seen to
        read below the folders `aside` and the state folder does not count.
        """
        try:
            if _reached(container, inputs).items() <= parts.items():
                read = observed.seen(step.log, step.begun, (self.folder.parent, *aside))
                self.put(step.name, parts, made, read)
        except OSError as error:
            log.info("what %s gave is not kept: %s", step.name, error)

    def find(self, step: str, parts: Parts) -> Found:
        """What is kept for a step; the name tells it from others where it is said what has changed since."""
        entry = self._read(f"{_digest(parts)}.json")
        if not entry:
            return Found(None, _changes(self._read(_file(step)), parts))
        if other := observed.outdated(entry.get("read", {})):
            return Found(None, f"changed since it ran last: {other}")
        if damaged := next((path for path, known in entry["sha256"].items() if _content(Path(path)) != known), ""):
            return Found(None, f"its output {damaged} was changed or deleted")
        outputs = {name: _given_back(value) for name, value in entry["outputs"].items()}
        if why := next(filter(None, map(_outdated, _artifacts(outputs))), ""):
            return Found(None, why)
        return Found(outputs, REUSED)

    def put(self, step: str, parts: Parts, outputs: Mapping[str, Any], read: Parts = MappingProxyType({})) -> None:
        """Keep the outputs, the content hash of each artifact, and what was `read`; metrics live in metadata alone."""
        paths = [path for one in _artifacts(outputs) if (path := one.path) and path.exists()]
        kept = {name: _kept(value) for name, value in outputs.items()}
        entry = {"outputs": kept, "sha256": {str(p): sha256(p) for p in paths}, "read": dict(read)}
        write_json(self.folder / f"{_digest(parts)}.json", entry)
        write_json(self.folder / _file(step), {name: _digest(value) for name, value in parts.items()})

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = read_json(self.folder / name)
        except DataUnreadable:
            return {}
        return found


def _reached(container: Any, inputs: Mapping[str, Any]) -> Parts:
    program = kfp_launcher.program([*container.command, *container.args])
    installed = [word for words in program.packages for word in words] if program else []
    texts = [*uses.texts_of(list(inputs.values())), *installed]
    return uses.versions(program.source if program else "", texts)


def unknown(inputs: Mapping[str, Any]) -> str:
    """Why a step of these inputs cannot be reused: what a URI holds may change without a sign; empty where it can."""
    for name, value in inputs.items():
        for artifact in artifacts_in(value):
            if artifact.path is None and "sha256" not in artifact.metadata:
                return f"its input {name} is at {artifact.uri}, and whether that has changed is not known"
    return ""


def _outdated(artifact: Artifact) -> str:
    """Why an artifact is to be made anew: what it tells of may have ended, or its source may have other data."""
    if artifact.metadata.get(LIVE):
        return f"its output {artifact.name} tells of what goes on outside the run"
    told = artifact.metadata.get(SOURCE)
    if not isinstance(told, Mapping):
        return ""
    name = told["source"]
    if not told["version"]:
        return f"its source {name} does not say its data's version"
    command = [sys.executable, "-m", "seaway.data.version", name, json.dumps(told["options"])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    return (
        "" if done.returncode == 0 and done.stdout == told["version"] else f"the data of its source {name} have changed"
    )


def _changes(before: Parts, now: Parts) -> str:
    if not before:
        return "it has not run before"
    other = [name for name, value in now.items() if before.get(name) != _digest(value)]
    gone = [name for name in before if name not in now]
    if not other and not gone:
        return "what it gave before is not kept"
    return f"changed since it ran last: {', '.join([*other, *gone])}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _file(step: str) -> str:
    return f"last/{_digest(step)}.json"


def _told(value: Any) -> str:
    return json.dumps(_by_content(value), sort_keys=True)


def _by_content(value: Any) -> Any:
    """An argument with what its artifacts hold in the place of where they are."""
    if isinstance(value, list):
        return [_by_content(item) for item in value]
    if not isinstance(value, Artifact):
        return value
    content = _content(value.path) if value.path else value.uri
    return {"type": value.schema_title, "content": content, "metadata": value.metadata}


def _content(path: Path) -> str:
    return sha256(path) if path.exists() else ""


def _artifacts(outputs: Mapping[str, Any]) -> Iterator[Artifact]:
    for value in outputs.values():
        yield from artifacts_in(value)


def _kept(value: Any) -> Any:
    """An output as JSON; a parameter in a dict of its own, so that none looks like an artifact."""
    if isinstance(value, list) and artifacts_in(value):
        return {"artifacts": [asdict(artifact) for artifact in value]}
    return {"artifact": asdict(value)} if isinstance(value, Artifact) else {"value": value}


def _given_back(kept: Mapping[str, Any]) -> Any:
    if "artifacts" in kept:
        return [Artifact(**one) for one in kept["artifacts"]]
    return Artifact(**kept["artifact"]) if "artifact" in kept else kept["value"]
