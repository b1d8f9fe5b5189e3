"""A kind of workload: the objects that carry an endpoint's arms, the pods that must answer, what is refused early."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from seaway.model_server.arm import RemoteArm
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.serving.hosting import Hosting

Weights = Mapping[str, int]
BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
SERVICE_PORT = 80  # of an arm, where its Service is ours
NEW_FIRST = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


@dataclass(frozen=True)
class Served:
    """One arm as it is wanted: the model version and how its pods run.

    `sha256` is the package's whole content hash, empty where an earlier edition wrote the record.
    """

    arm: RemoteArm
    hosting: Hosting
    public_key: str  # PEM, of who signed the package
    sha256: str = ""

    @property
    def version(self) -> str:
        return self.arm.version


Arms = Mapping[str, Served]  # by `stable` and `candidate`


class Workload(Protocol):
    """One kind of object that runs the pods of an endpoint's arms.

    Attributes:
        name: of the backend in the registry.
        kind: of the objects that own the pods.
        resources: of all that `objects` may make, the kind's own first.
        permissions: what a step needs to make them.
        traffic: the backend of `Traffic` that moves its weights where the workload makes the arms' Services and route
            itself; empty where Seaway does.
        port: of an arm's Service.
    """

    name: str
    kind: Kind
    resources: Sequence[Resource]
    permissions: Sequence[Permission]
    traffic: str
    port: int

    def pods_by_owner(self, name: str, arms: Arms) -> dict[str, Counter[str]]:
        """The objects that own the pods of these arms, by name, and how many pods of each version must answer."""
        ...

    def objects(self, name: str, arms: Arms, weights: Weights) -> list[dict[str, Any]]:
        """All objects for these arms, without metadata that every object gets; the same arms, the same objects."""
        ...

    def strays(self, name: str, arms: Arms) -> str:
        """The label selector of pods that are to end although the object that owns them stays; empty for none."""
        ...

    def path(self, namespace: str, name: str) -> str:
        """Where a gateway has the endpoint, below its address."""
        ...

    def preflight(self, manifest: Manifest) -> None:
        """Refuse what the API server would. Raises: InvalidSpec: with the fields' paths."""
        ...


def endless(workload: Manifest) -> None:
    """What serves never ends by itself."""


def owner_of(name: str, served: Served) -> str:
    """The object of one version."""
    return f"{name}-{served.version}"


def owners_of(name: str, arms: Arms) -> dict[str, Counter[str]]:
    """Pods that must answer, by object and version, where each version has an object."""
    return {owner_of(name, served): Counter({served.version: served.hosting.replicas}) for served in arms.values()}


def budget(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """A node that is drained takes one pod of these at a time; of two budgets over a pod, neither lets it go."""
    return {**head(BUDGETS, name), "spec": {"maxUnavailable": 1, "selector": {"matchLabels": dict(labels)}}}


def head(resource: Resource, name: str) -> dict[str, Any]:
    """The beginning of a manifest."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}}
