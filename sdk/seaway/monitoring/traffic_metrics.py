"""Counts of an endpoint's traffic by arm, as the proxy in front of it keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from seaway.errors import InvalidSpec
from seaway.serving import DeployedEndpoint


@dataclass(frozen=True)
class ArmCounts:
    """Cumulative counts of one arm since its model was started.

    `requests` are those answered, by the arm or for it by the proxy; `errors` of them were 5xx. `latency` maps the
    upper bounds of buckets, in seconds, to the cumulative number of answers within them (Prometheus' `le`); it is for
    dashboards and for traffic whose single latencies no client has seen, the judge takes those of the answers.
    """

    requests: int
    errors: int
    latency: Mapping[float, int]

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.requests:
            raise InvalidSpec(f"{self.errors} errors of {self.requests} requests is impossible; is the source reset?")
        ordered = [self.latency[bound] for bound in sorted(self.latency)]
        if any(later < earlier for earlier, later in pairwise(ordered)):
            raise InvalidSpec(f"Latency buckets {dict(self.latency)} fall; they must be cumulative.")

    def __sub__(self, earlier: "ArmCounts") -> "ArmCounts":
        """The counts since `earlier`. Raises: InvalidSpec where a count has fallen (the source was reset)."""
        return ArmCounts(
            self.requests - earlier.requests,
            self.errors - earlier.errors,
            {bound: count - earlier.latency.get(bound, 0) for bound, count in self.latency.items()},
        )


class TrafficMetrics(Protocol):
    """Reads what an endpoint's traffic has been."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        """Counts by arm, of inference requests only.

        Raises:
            MetricsUnavailable: missing, stale or unreachable; never to be taken for good news.
        """
        ...
