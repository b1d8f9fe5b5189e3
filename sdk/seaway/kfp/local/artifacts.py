"""An artifact as a local run passes it between steps: kfp's RuntimeArtifact, as JSON has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format


@dataclass(frozen=True)
class Artifact:
    """An output of a step, or what an importer points to."""

    name: str
    uri: str  # a path on this machine, or a URI of a store
    kind: Mapping[str, Any] = field(default_factory=dict)  # kfp's ArtifactTypeSchema as JSON
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema_title(self) -> str:
        """Such as `system.Dataset`."""
        return str(self.kind.get("schemaTitle", "system.Artifact"))

    @property
    def path(self) -> Path | None:
        """Where it is on this machine; None for one in a store."""
        place = self.uri.removeprefix("file://")
        return Path(place) if place.startswith("/") else None

    def message(self) -> dict[str, Any]:
        """As a step gets it."""
        return {"name": self.name, "uri": self.uri, "type": dict(self.kind), "metadata": dict(self.metadata)}

    def plain(self) -> dict[str, Any]:
        """As a run's record has it."""
        return {"type": self.schema_title, "uri": self.uri, "metadata": dict(self.metadata)}


def kind_of(schema: Any) -> dict[str, Any]:
    """An ArtifactTypeSchema message as JSON."""
    plain: dict[str, Any] = json_format.MessageToDict(schema)
    return plain
