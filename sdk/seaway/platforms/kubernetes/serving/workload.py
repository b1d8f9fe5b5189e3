"""What a backend of an endpoint says: which objects carry its arms, which pods must answer, what is refused early."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from seaway.model_server.arm import RemoteArm
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.serving.hosting import Hosting

Weights = Mapping[str, int]


@dataclass(frozen=True)
class Served:
    """One arm as it is wanted: the model version and how its pods run."""

    arm: RemoteArm
    hosting: Hosting
    public_key: str  # PEM, of who signed the package

    @property
    def version(self) -> str:
        return self.arm.version


Arms = Mapping[str, Served]  # by `stable` and `candidate`


class Backend(Protocol):
    """One kind of object that runs the pods of an endpoint's arms.

    Attributes:
        kind: of the objects that own the pods.
        resources: of all that `objects` may make, the kind's own first.
        routes: whether it makes the arms' Services itself.
    """

    kind: Kind
    resources: Sequence[Resource]
    routes: bool

    def workloads(self, name: str, arms: Arms) -> dict[str, Counter[str]]:
        """The objects that own the pods of these arms, by name, and how many pods of each version must answer."""
        ...

    def objects(self, name: str, arms: Arms, weights: Weights) -> list[dict[str, Any]]:
        """All objects for these arms, without metadata that every object gets; the same arms, the same objects."""
        ...

    def preflight(self, manifest: Manifest) -> None:
        """Refuse what the API server would. Raises: InvalidSpec: with the fields' paths."""
        ...


def endless(workload: Manifest) -> None:
    """What serves never ends by itself."""
