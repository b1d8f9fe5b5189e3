"""Where and how the pods of a training run: image, resources, nodes, settings, what a lost pod means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.pods.settings import PodSettings, check_quantities
from seaway.platforms.settings import check_whole, parsed

# Pod Security Standards, profile restricted, "Volume Types"
VOLUME_TYPES = (
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"
)  # fmt: skip


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
class Placement(PodSettings):
    """How each pod of a training runs, beside what is common to all pods; validated on construction.

    Of `PodSettings`, `image` has Seaway and the entrypoint; more than one of `gpus`, one a process, starts as many
    processes in the pod; `scratch` is for data, checkpoints and the model; `env` such as NCCL_SOCKET_IFNAME.

    Args:
        shared_memory: Size of /dev/shm, which NCCL and data loaders use; it counts towards `memory`.
        restarts: Times that the training may begin anew from its last checkpoint after a pod was lost.
        elastic: Go on with fewer pods; without it all pods begin anew together.
        scheduler: Gang scheduler that places all pods or none, by its name, such as `volcano`.
        queue: Its queue; Volcano has them.
        local_queue: LocalQueue of Kueue that the job waits in until there is room, and again when it must give way.
        queue_priority: WorkloadPriorityClass of Kueue, by which jobs go before others there.
        volumes: Volume source by mount path, `{"/data": {"persistentVolumeClaim": {"claimName": "rows"}}}`.
        runtime: Name of a ClusterTrainingRuntime that TrainJobs refer to; empty has Seaway bring its own. With it only
            `image`, `cpu`, `memory`, `gpus`, `gpu_resource`, `env` and Kueue's queue can be set here: the rest is the
            runtime's.
    Raises:
        InvalidSpec: a field is out of range; nothing is sent to a cluster.
    """

    shared_memory: str = "1Gi"
    restarts: int = 3
    elastic: Elastic | None = None
    scheduler: str = ""
    queue: str = ""
    local_queue: str = ""
    queue_priority: str = ""
    volumes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    runtime: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.elastic, Mapping):
            object.__setattr__(self, "elastic", parsed(Elastic, self.elastic, "elastic."))
        check_quantities(self, "shared_memory")
        check_whole(self, restarts=0)
        if self.queue and not self.scheduler:
            raise InvalidSpec(
                f"queue={self.queue!r} is a gang scheduler's: name it, such as scheduler: volcano. Kueue's queue is "
                "local_queue."
            )
        if self.queue_priority and not self.local_queue:
            raise InvalidSpec(f"queue_priority={self.queue_priority!r} is of a queue of Kueue: name it by local_queue.")
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
        placement: Placement = parsed(cls, settings, "placement.")
        return placement
