"""What surrounds an endpoint: who calls its arms, how much, and with how many errors.

It is background for who reads a report, never evidence for a judge.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from seaway.serving import DeployedEndpoint

FAILING = 0.1  # share of errors: Kiali's own limit between "degraded" and "failure" for 5xx


@dataclass(frozen=True)
class Edge:
    """Requests a second from one workload to an arm's Service, and the share of them that failed.

    Raises:
        ValueError: a figure is no rate or no share.
    """

    source: str
    target: str
    requests_per_s: float
    error_share: float

    def __post_init__(self) -> None:
        if not (0 <= self.requests_per_s < math.inf and 0 <= self.error_share <= 1):
            raise ValueError(f"{self.requests_per_s} requests a second with {self.error_share} errors are impossible")

    @property
    def health(self) -> str:
        if not self.error_share:
            return "healthy"
        return "failing" if self.error_share >= FAILING else "degraded"


@dataclass(frozen=True)
class Callers:
    """Edges over the last `seconds`; `source` is who told them, empty where nobody could, and `note` says why."""

    edges: tuple[Edge, ...] = ()
    source: str = ""
    note: str = ""
    seconds: int = 0

    def to_json(self) -> dict[str, Any]:
        """As in `rollout.json`."""
        edges = [{**asdict(edge), "health": edge.health} for edge in self.edges]
        return {"source": self.source, "note": self.note, "seconds": self.seconds, "edges": edges}


class ServiceGraph(Protocol):
    """Knows who calls whom."""

    def read(self, endpoint: DeployedEndpoint, seconds: int) -> Callers:
        """Edges to the endpoint's arms over the last `seconds`. Nothing raises: without a mesh there are none."""
        ...
