"""Which kinds a cluster serves, by its discovery, which every account may read."""

from collections.abc import Iterable

from seaway.errors import KindMissing
from seaway.platforms.kubernetes.client.api_errors import ApiCall
from seaway.platforms.kubernetes.client.connection import connected
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Resource


def missing(permissions: Iterable[Permission], objects: Objects | None = None) -> str:
    """Names of the kinds that a backend creates and the cluster does not serve; empty where it has them all.

    Raises:
        InvalidSpec: there is no cluster to ask.
        Forbidden, ServerGone: it does not tell.
    """
    asked = objects or Objects(connected())
    created = [rule.resource for rule in permissions if "create" in rule.verbs and "." in rule.resource.group]
    return ", ".join(one.full_name for one in dict.fromkeys(created) if not serves(asked, one))


def serves(objects: Objects, resource: Resource) -> bool:
    """Whether the cluster knows this kind in this version. Raises: Forbidden, ServerGone: it does not tell."""
    try:
        listed = objects.discover(ApiCall("get", resource, objects.namespace))
    except KindMissing:
        return False
    return resource.plural in {one["name"] for one in listed["resources"]}
