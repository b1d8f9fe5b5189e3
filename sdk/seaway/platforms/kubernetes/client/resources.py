"""Kinds of objects as the API server addresses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """A namespaced resource; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def has_operator(self) -> bool:
        """Whether the kind is an operator's, whose webhooks the API server may ask, and not Kubernetes' own."""
        return "." in self.group and not self.group.endswith(".k8s.io")

    @property
    def full_name(self) -> str:
        """`plural.group`, which names a custom resource definition and which kubectl takes."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def root(self) -> str:
        """Where the API server tells what its group and version have."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Where the API server keeps the collection, an object, or a part of one; without a namespace those of all."""
        parts = [self.root, namespace and f"namespaces/{quote(namespace)}", self.plural, quote(name), subresource]
        return "/".join(part for part in parts if part)


PODS = Resource("", "v1", "pods", "Pod")
EVENTS = Resource("", "v1", "events", "Event")
SERVICES = Resource("", "v1", "services", "Service")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
POD_LOGS = Resource("", "v1", "pods/log", "Log of Pod")  # as RBAC names it
