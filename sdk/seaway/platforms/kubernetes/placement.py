"""Where and how the pods of a training run: image, resources, nodes, settings, what a lost pod means."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from seaway.errors import InvalidSpec

# k8s.io/apimachinery resource.Quantity
QUANTITY = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
RESOURCE_NAME = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
TOLERATION_FIELDS = {"key", "operator", "value", "effect", "tolerationSeconds"}
# Pod Security Standards, profile restricted, "Volume Types"
VOLUME_TYPES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"
)  # fmt: skip
RESERVED = ("SEAWAY_", "PET_")  # variables that the pods' program and the operators set


@dataclass(frozen=True)
class Elastic:
    """A training that goes on while at least `min_workers` of its pods live (torch.distributed.elastic).

    Args:
        min_workers: Pods without which it waits.
        max_restarts: Times that the workers may begin anew from the last checkpoint.
    """

    min_workers: int
    max_restarts: int = 3

    def __post_init__(self) -> None:
        if self.min_workers < 1 or self.max_restarts < 0:
            raise InvalidSpec(f"elastic: min_workers={self.min_workers} must be 1 or more, max_restarts not negative.")


@dataclass(frozen=True)
class Placement:
    """How each pod of a training runs; validated on construction.

    Args:
        image: Image with Seaway and the entrypoint, by its full name.
        cpu: Cores that each pod asks for, as Kubernetes writes quantities; where more are free it may use them.
        memory: Of each pod, asked for and at most.
        gpus: Accelerators of each pod, one a process; more than one starts as many processes in the pod.
        gpu_resource: What the cluster's device plugin calls an accelerator.
        shared_memory: Size of /dev/shm, which NCCL and data loaders use; it counts towards `memory`.
        scratch: Size of the local disk for data, checkpoints and the model.
        restarts: Times that the training may begin anew from its last checkpoint after a pod was lost.
        elastic: Go on with fewer pods; without it all pods begin anew together.
        node_selector: Labels that a node must have.
        tolerations: Taints of nodes that do not matter.
        priority_class: Of the pods.
        scheduler: Gang scheduler that places all pods or none, by its name, such as `volcano`.
        queue: Its queue.
        env: Variables, such as NCCL_SOCKET_IFNAME.
        env_secrets: Secrets whose keys become variables; the storage's credentials among them.
        volumes: Volume source by mount path, `{"/data": {"persistentVolumeClaim": {"claimName": "flights"}}}`.
        image_pull_policy, image_pull_secrets: For a private registry.
        service_account: Of the pods; they call no API, so its token is not mounted.
        user: Numeric user and group; never root.
        runtime: Name of a ClusterTrainingRuntime that TrainJobs refer to; empty has Seaway bring its own.
    Raises:
        InvalidSpec: a field is out of range; nothing is sent to a cluster.
    """

    image: str
    cpu: str = "1"
    memory: str = "4Gi"
    gpus: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    shared_memory: str = "1Gi"
    scratch: str = "20Gi"
    restarts: int = 3
    elastic: Elastic | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    priority_class: str = ""
    scheduler: str = ""
    queue: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    env_secrets: Sequence[str] = ()
    volumes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: Sequence[str] = ()
    service_account: str = ""
    user: int = 1000
    runtime: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.elastic, Mapping):
            object.__setattr__(self, "elastic", _from_mapping(Elastic, self.elastic, "elastic."))
        self._check_numbers()
        self._check_names()
        self._check_scheduling()

    def _check_numbers(self) -> None:
        for name in ("cpu", "memory", "shared_memory", "scratch"):
            value = str(getattr(self, name))
            if not QUANTITY.fullmatch(value) or value.startswith("-"):
                raise InvalidSpec(f"{name}={value!r} is no quantity; write one such as 2, 500m or 4Gi.")
            object.__setattr__(self, name, value)
        for name, least in (("gpus", 0), ("restarts", 0), ("user", 1)):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < least:
                raise InvalidSpec(f"{name}={getattr(self, name)!r} must be a whole number of at least {least}.")

    def _check_names(self) -> None:
        if not self.image or self.image != self.image.strip():
            raise InvalidSpec("image is empty; give the full name of an image with Seaway and the entrypoint.")
        if not RESOURCE_NAME.fullmatch(self.gpu_resource):
            raise InvalidSpec(f"gpu_resource={self.gpu_resource!r} is no resource name; one is 'nvidia.com/gpu'.")
        if self.image_pull_policy not in PULL_POLICIES:
            raise InvalidSpec(f"image_pull_policy={self.image_pull_policy!r}; there are: {', '.join(PULL_POLICIES)}.")
        for name in self.env:
            if not VARIABLE.fullmatch(name) or name.startswith(RESERVED):
                raise InvalidSpec(f"env: {name!r} is no variable's name, or one of Seaway's or torchrun's own.")

    def _check_scheduling(self) -> None:
        for toleration in self.tolerations:
            if unknown := sorted(set(toleration) - TOLERATION_FIELDS):
                raise InvalidSpec(f"tolerations: unknown field {', '.join(unknown)}; there are: key, operator, "
                                  "value, effect, tolerationSeconds.")  # fmt: skip
        for path, source in self.volumes.items():
            if not path.startswith("/") or len(source) != 1 or next(iter(source)) not in VOLUME_TYPES:
                raise InvalidSpec(
                    f"volumes: {path!r} takes one of {', '.join(VOLUME_TYPES)}, as Kubernetes writes them; "
                    f"a hostPath is refused wherever pods are restricted."
                )

    @property
    def processes(self) -> int:
        """Training processes of each pod."""
        return max(1, self.gpus)

    def pods(self, workers: int) -> int:
        """Pods that `workers` processes take.

        Raises:
            InvalidSpec: they do not fill the pods evenly, or are fewer than an elastic training needs.
        """
        if workers % self.processes:
            raise InvalidSpec(f"workers={workers} does not fill pods of {self.processes} processes (gpus) evenly.")
        pods = workers // self.processes
        if self.elastic and self.elastic.min_workers > pods:
            raise InvalidSpec(f"elastic.min_workers={self.elastic.min_workers}, but there are {pods} pods only.")
        return pods

    @classmethod
    def parse(cls, settings: Mapping[str, Any]) -> "Placement":
        """From JSON or YAML values. Raises: InvalidSpec: a name is unknown or the image is missing."""
        placement: Placement = _from_mapping(cls, settings, "placement.")
        return placement


def _from_mapping(kind: Any, settings: Mapping[str, Any], where: str) -> Any:
    known = [entry.name for entry in fields(kind)]
    if unknown := sorted(set(settings) - set(known)):
        raise InvalidSpec(f"{where}{unknown[0]} is unknown; there are: {', '.join(known)}.")
    try:
        return kind(**settings)
    except TypeError as error:
        raise InvalidSpec(f"{where}: {error}.") from error
