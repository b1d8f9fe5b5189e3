"""How a cluster runs an endpoint's pods: image, replicas, scaling, resources, where packages are kept."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.pods.settings import PodSettings
from seaway.platforms.settings import check_whole, cluster_settings, parsed
from seaway.serving import feature_log
from seaway.storage.uri import scheme

ALL_CPU = 100  # per cent
UNROUTED_S, MARGIN_S = 5, 10  # before and after a pod waits for its last answers


@dataclass(frozen=True)
class Autoscale:
    """More pods, up to `max_replicas`, while they use more than `cpu_percent` of the cores that they ask for."""

    max_replicas: int
    cpu_percent: int = 80

    def __post_init__(self) -> None:
        check_whole(self, max_replicas=1, cpu_percent=1)


@dataclass(frozen=True)
class Hosting(PodSettings):
    """How each pod of an endpoint runs, beside what is common to all pods; validated on construction.

    Of `PodSettings`, `image` has the model server; `env_secrets` reach the step that fetches the package, and
    the server only where it logs what it serves.

    Args:
        replicas: Pods of each arm, and the least where it is scaled.
        autoscale: Scaling by load; without it the number stays.
        drain_s: Seconds, at most, that a pod which is to end waits for its last answers.
        storage: URI below which packages are kept for the pods; empty takes SEAWAY_STORAGE.
        served: URI below which served features are logged, such as an s3:// one; empty takes SEAWAY_SERVED, else none.
        host: Host name by which a gateway knows the endpoint; empty takes `NAME.NAMESPACE`.
        gateway: `NAMESPACE/NAME` of the gateway that a route attaches to which the workload's own operator makes;
            empty takes SEAWAY_GATEWAY, else what the operator is set to.
        labels, annotations: More of them for the pods, such as those of a mesh.
    Raises:
        InvalidSpec: a field is out of range; nothing is sent to a cluster.
    """

    memory: str = "2Gi"
    scratch: str = "4Gi"
    replicas: int = 2
    autoscale: Autoscale | None = None
    drain_s: int = 30
    storage: str = ""
    served: str = ""
    host: str = ""
    gateway: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.autoscale, Mapping):
            object.__setattr__(self, "autoscale", parsed(Autoscale, self.autoscale, "autoscale."))
        check_whole(self, replicas=1, drain_s=0)
        if self.served and scheme(self.served) == "file":
            raise InvalidSpec(
                f"What pods serve cannot be logged in {self.served}, which would end with them: set SEAWAY_SERVED, or "
                "hosting.served, to the URI of a bucket, such as s3://my-bucket/served."
            )
        if self.autoscale and self.autoscale.max_replicas < self.replicas:
            raise InvalidSpec(
                f"autoscale.max_replicas={self.autoscale.max_replicas} is below replicas={self.replicas}, the least."
            )

    @property
    def grace_s(self) -> int:
        """Seconds from SIGTERM to SIGKILL."""
        return UNROUTED_S + self.drain_s + MARGIN_S

    def package_uri(self, name: str, version: str) -> str:
        """Where a version's package is kept: by its content, so it is never replaced.

        Raises:
            InvalidSpec: no storage is named.
        """
        return f"{self.root('packages')}/endpoints/{name}/{version}"

    def root(self, what: str) -> str:
        """The URI below which this machine and the pods keep what they share. Raises: InvalidSpec: none is named."""
        root = (self.storage or os.environ.get("SEAWAY_STORAGE", "")).rstrip("/")
        if not root:
            raise InvalidSpec(
                f"Where do the pods find the {what}? Set SEAWAY_STORAGE, or hosting.storage, to a URI that this "
                "machine and the pods reach, such as s3://my-bucket/seaway."
            )
        return root

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> "Hosting":
        """From JSON or YAML values. Raises: InvalidSpec: a name is unknown or the image is missing."""
        hosting: Hosting = parsed(cls, settings, "hosting.")
        return hosting


def hosting(wanted: Mapping[str, Any]) -> Hosting:
    """The cluster's settings, the image of SEAWAY_SERVER_IMAGE, then what is wanted.

    Raises:
        InvalidSpec: no image is named, or a setting is wrong.
    """
    settings = {**named_settings(image="SEAWAY_SERVER_IMAGE", gateway="SEAWAY_GATEWAY"), **wanted}
    if "image" not in settings:
        raise InvalidSpec("Which image has the server? Set SEAWAY_SERVER_IMAGE, or hosting.image, to its full name.")
    return Hosting.parse(settings)


def named_settings(**variables: str) -> dict[str, Any]:
    """What the environment says for the cluster: the file of SEAWAY_HOSTING, SEAWAY_SERVED, these further variables.

    Raises:
        InvalidSpec: the file cannot be read.
    """
    named = {name: os.environ.get(variable) for name, variable in {"served": feature_log.VARIABLE, **variables}.items()}
    return {**cluster_settings("SEAWAY_HOSTING"), **{name: value for name, value in named.items() if value}}
