"""What a backend asks of a namespace's RBAC: a backend names its rules as `permissions`, and the Role is their sum."""

from dataclasses import dataclass
from typing import Any

from seaway.platforms.kubernetes.client.resources import Resource

LAUNCHED = ("create", "delete", "get", "list", "watch")
APPLIED = ("create", "delete", "get", "list", "patch")
ROUTED = ("create", "delete", "get", "patch")


@dataclass(frozen=True)
class Permission:
    """Verbs on one resource, and the call that needs them."""

    resource: Resource
    verbs: tuple[str, ...]
    why: str
    names: tuple[str, ...] = ()  # of the only objects; empty means all

    def manifest(self) -> dict[str, Any]:
        """A rule of a Role."""
        only = {"resourceNames": list(self.names)} if self.names else {}
        return {
            "apiGroups": [self.resource.group],
            "resources": [self.resource.plural],
            "verbs": list(self.verbs),
            **only,
        }
