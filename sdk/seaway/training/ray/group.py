"""What the step tells the job that it submits: how many bundles, of what, for how long."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

VARIABLE = "SEAWAY_RAY_GROUP"  # of the job's environment
NO_RESOURCES, OUT_OF_TIME = 75, 124  # exit codes of the job, as sysexits.h and `timeout` have them


@dataclass(frozen=True)
class Group:
    """Bundles that train together; the other fields as in `Placement`, and `timeout_s` of the training."""

    nodes: int
    bundle: Mapping[str, float]
    processes: int
    cpus: int
    strategy: str
    restarts: int
    queue_s: float
    timeout_s: float

    @property
    def text(self) -> str:
        """As JSON, the same for equal groups."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> "Group":
        """Read what `text` wrote."""
        return cls(**json.loads(text))
