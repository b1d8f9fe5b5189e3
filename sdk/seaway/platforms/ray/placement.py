"""How a training runs on Ray: which cluster, what is asked of it, and what starts the processes on its nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.settings import check_seconds, check_variables, check_whole, parsed
from seaway.training.pod.job import VARIABLE as TRAINING
from seaway.training.ray.group import VARIABLE as GROUP

RESERVED = (GROUP, TRAINING, "PET_", "RAY_")  # what Seaway's programs and Ray set
STRATEGIES = ("SPREAD", "PACK", "STRICT_SPREAD", "STRICT_PACK")


@dataclass(frozen=True)
class Placement:
    """How a training runs on Ray; validated on construction.

    Args:
        address: Of the cluster's dashboard, which has the job API, such as http://ray-head:8265.
        token_file: Holds the cluster's token; empty where it has none.
        folder: Seen under this path by this machine and by all nodes; what holds the data where no storage is named.
        processes_per_node: Training processes of each bundle; `workers` of them in all.
        cpus: Cores of each process.
        gpus: Accelerators of each bundle.
        resources: Other resources of each bundle, by the names that the cluster gives them.
        strategy: How bundles lie on Ray's nodes: SPREAD, PACK, STRICT_SPREAD or STRICT_PACK.
        python: The interpreter on the nodes, with Ray, Seaway and the entrypoint.
        runtime_env: Ray's own description of a job's environment: `working_dir`, `pip`, `image_uri` and others.
        env: Variables. Whoever may ask the cluster for its jobs can read them, so they hold no secrets.
        restarts: Times that the training begins anew after a node or an actor was lost.
        queue_s: Seconds that the job may wait for its resources.
        outage_s: Seconds that the cluster's head may not answer.
    Raises:
        InvalidSpec: a field is out of range; nothing is submitted.
    """

    address: str = ""
    token_file: str = ""
    folder: str = ""
    processes_per_node: int = 1
    cpus: int = 1
    gpus: int = 0
    resources: Mapping[str, float] = field(default_factory=dict)
    strategy: str = "SPREAD"
    python: str = "python"
    runtime_env: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    restarts: int = 3
    queue_s: float = 24 * 3600.0
    outage_s: float = 600.0

    def __post_init__(self) -> None:
        check_whole(self, processes_per_node=1, cpus=1, gpus=0, restarts=0)
        check_seconds(self, "queue_s", "outage_s")
        check_variables(self.env, RESERVED)
        if not self.address.startswith(("http://", "https://")):
            raise InvalidSpec(
                f"placement.address={self.address!r}: give the address of the Ray cluster's dashboard, such as "
                "http://ray-head:8265, there or in the file that SEAWAY_RAY names."
            )
        if self.strategy not in STRATEGIES:
            raise InvalidSpec(f"placement.strategy={self.strategy!r}; there are: {', '.join(STRATEGIES)}.")
        if "env_vars" in self.runtime_env:
            raise InvalidSpec("placement.runtime_env has env_vars; give variables as placement.env.")

    @property
    def bundle(self) -> dict[str, float]:
        """What one group of processes takes of a node."""
        asked = {"CPU": float(self.cpus * self.processes_per_node), "GPU": float(self.gpus), **self.resources}
        return {name: amount for name, amount in asked.items() if amount}

    @classmethod
    def parse(cls, settings: Mapping[str, object]) -> "Placement":
        """From JSON or YAML values. Raises: InvalidSpec: a name is unknown, or a value is out of range."""
        placement: Placement = parsed(cls, settings, "placement.")
        return placement
