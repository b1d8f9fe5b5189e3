"""What is known of a kind, and by whom: the schemas that Seaway carries, or a cluster's own definitions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from seaway.platforms.kubernetes.client.api_errors import UNREACHABLE, ApiCall, Status, error_for
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.validation.schema import Structure
from seaway.platforms.kubernetes.validation.schema import carried as structure_of
from seaway.platforms.kubernetes.validation.schemas import sources

DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")


@dataclass(frozen=True)
class Known:
    """A kind's structure; `by` says whose word it is."""

    structure: Structure
    by: str


Kinds = Callable[[str, str], Known | None]  # by the apiVersion and kind that an object gives


def carried(api_version: str, kind: str) -> Known | None:
    """What Seaway has of a kind."""
    source = sources().get((api_version, kind))
    return Known(structure_of(source.resource), source.of) if source else None


def of_cluster(connection: Connection) -> Kinds:
    """A cluster's own definitions first, then what Seaway has: of Kubernetes' own kinds there are none.

    Raises:
        Forbidden: this account may not read them.
        SeawayError: the server does not answer.
    """
    try:
        answer = json.loads(connection.request("GET", DEFINITIONS.path(""), {}))
    except UNREACHABLE as error:
        raise error_for(Status.of(error), ApiCall("list", DEFINITIONS, "")) from error
    defined = {
        (one.structure.resource.api_version, one.structure.resource.kind): one for one in map(_known, _served(answer))
    }
    return lambda api_version, kind: defined.get((api_version, kind)) or carried(api_version, kind)


def _served(answer: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each definition with each version of it that is served."""
    specs = [item["spec"] for item in answer["items"]]
    return [(spec, version) for spec in specs for version in spec["versions"] if version["served"]]


def _known(served: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Known:
    spec, version = served
    names, scale = spec["names"], version.get("subresources", {}).get("scale", {})
    told = {"scale": scale["specReplicasPath"]} if scale else {}
    published = version.get("schema", {}).get("openAPIV3Schema", {})
    whole = {"properties": {}, **published, "$defs": {}, "x-source": told}
    return Known(
        Structure(whole, Resource(spec["group"], version["name"], names["plural"], names["kind"])), "this cluster"
    )
