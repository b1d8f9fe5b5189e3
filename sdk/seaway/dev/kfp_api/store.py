"""What KFP's API knows beside the runs: pipelines, versions, experiments, and how runs were called.

One JSON file of the state folder, written whole under a lock; compiled pipelines lie beside it.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from seaway.dev.kfp_api.refusal import ALREADY_EXISTS, INVALID_ARGUMENT, NOT_FOUND, Refusal
from seaway.errors import DataUnreadable
from seaway.storage import locked, read_json, write_json, yaml_text

DEFAULT = "Default"  # the experiment of runs that name none
Document = dict[str, Any]


@dataclass
class Known:
    """The content of the file, each kind by its id."""

    pipelines: dict[str, Document] = field(default_factory=dict)
    versions: dict[str, Document] = field(default_factory=dict)
    experiments: dict[str, Document] = field(default_factory=dict)
    runs: dict[str, Document] = field(default_factory=dict)


class Store:
    """Of one state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "kfp.json"

    def read(self) -> Known:
        """What is known, with the experiment that is always there."""
        try:
            known = Known(**read_json(self._file))
        except DataUnreadable:
            known = Known()
        if DEFAULT not in {one["display_name"] for one in known.experiments.values()}:
            known.experiments["default"] = {
                "experiment_id": "default",
                "display_name": DEFAULT,
                "created_at": now(),
                "storage_state": "AVAILABLE",
            }
        return known

    @contextmanager
    def change(self) -> Iterator[Known]:
        """What is known, to be written when the block ends well."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(self._file.with_suffix(".lock")):
            known = self.read()
            yield known
            write_json(self._file, asdict(known))

    def specs(self, version: str) -> Path:
        """The compiled file of a version."""
        return self._folder / "specs" / f"{version}.yaml"

    def keep_spec(self, version: str, text: str) -> Document:
        """Write a compiled pipeline; returns its content as the API shows it.

        Raises:
            Refusal: it is none.
        """
        file = self.specs(version)
        file.parent.mkdir(parents=True, exist_ok=True)
        shown = spec_of(text)
        file.write_text(text, encoding="utf-8")
        return shown


def now() -> str:
    """As the API's JSON has times."""
    return stamp(datetime.now(UTC).timestamp())


def stamp(epoch: float) -> str:
    """Seconds since 1970, likewise."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_id() -> str:
    return str(uuid.uuid4())


def find(kind: str, identity: str, among: dict[str, Document]) -> Document:
    """Raises: Refusal: there is none of that id."""
    if identity not in among:
        raise Refusal(NOT_FOUND, f"There is no {kind} {identity!r}.")
    return among[identity]


def require_free(kind: str, name: str, among: dict[str, Document]) -> None:
    """Raises: Refusal: the name is empty or taken."""
    if not name:
        raise Refusal(INVALID_ARGUMENT, f"The {kind} has no name.")
    if name in {one["display_name"] for one in among.values()}:
        raise Refusal(ALREADY_EXISTS, f"There is a {kind} {name!r} already; give another name.")


def spec_of(text: str) -> Document:
    """A compiled pipeline as the API shows it: one document, or two under the names of their kinds.

    Raises:
        Refusal: it is none.
    """
    try:
        documents = [one for one in yaml_text.documents(text) if one]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refusal(INVALID_ARGUMENT, f"The pipeline is no YAML: {' '.join(str(error).split())}") from error
    if not documents or not isinstance(documents[0], dict) or "pipelineInfo" not in documents[0]:
        raise Refusal(INVALID_ARGUMENT, "The file is no compiled pipeline: it has no pipelineInfo.")
    spec, *platforms = documents
    return {"pipeline_spec": spec, "platform_spec": platforms[0]} if platforms else dict(spec)


def text_of(spec: Document) -> str:
    """A pipeline as a call brings it, as the file that is run.

    Raises:
        Refusal: it is none.
    """
    parts = [spec["pipeline_spec"], spec.get("platform_spec")] if "pipeline_spec" in spec else [spec]
    text = yaml.dump_all([part for part in parts if part], sort_keys=True)
    spec_of(text)
    return text
