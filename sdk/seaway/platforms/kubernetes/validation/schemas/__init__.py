"""The OpenAPI schemas of the custom resources that Seaway creates, as their projects publish them, without prose.

Made by `python -m tools.kubernetes_schemas.crds PROJECT CRD.yaml ...`; equal parts are written once, under
`$defs`.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.resources import Resource


@cache
def schema(group: str, plural: str, version: str) -> dict[str, Any]:
    """The schema of one version of a custom resource.

    Raises:
        InvalidSpec: Seaway has no schema of it.
    """
    file = files(__package__) / f"{plural}.{group}_{version}.json"
    if not file.is_file():
        raise InvalidSpec(f"There is no schema of {plural}.{group}/{version}; make it from its CRD file.")
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


@dataclass(frozen=True)
class Source:
    """A kind that Seaway has a schema of, and whose schema it is: the project with its version."""

    resource: Resource
    of: str


@cache
def sources() -> dict[tuple[str, str], Source]:
    """Every kind that there is a schema of, by the `apiVersion` and `kind` that an object gives."""
    told = [json.loads(one.read_text(encoding="utf-8"))["x-source"] for one in _files()]
    known = [Source(Resource(one["group"], one["version"], one["plural"], one["kind"]), one["of"]) for one in told]
    return {(source.resource.api_version, source.resource.kind): source for source in known}


def _files() -> list[Traversable]:
    return [one for one in files(__package__).iterdir() if one.name.endswith(".json")]
