"""What the server counts of itself, as Prometheus reads it; Envoy before it counts what its callers see."""

import time
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, Summary, generate_latest
from prometheus_client.metrics_core import Metric

from seaway.model_server.uvicorn.calls import Call

SIZES = (1, 2, 4, 8, 16, 32, 64, 128)  # requests of a batch


class Metrics:
    """Counters of one server, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = one = CollectorRegistry()
        self._requests = Counter("seaway_server_requests", "Answers by status.", ["code"], registry=one)
        self._queue = Summary("seaway_server_queue_seconds", "How long a request waited for the model.", registry=one)
        self._batch = Summary("seaway_server_batch_seconds", "How long a batch took.", registry=one)
        self._size = Histogram("seaway_server_batch_requests", "Requests of a batch.", registry=one, buckets=SIZES)

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._requests.labels(status).inc()

    def batch(self, calls: Sequence[Call], started: float) -> None:
        """Count a batch that was computed from `started` (monotonic seconds) until now."""
        self._batch.observe(time.monotonic() - started)
        self._size.observe(len(calls))
        for call in calls:
            self._queue.observe(started - call.arrived)

    def collect(self) -> Iterator[Metric]:
        """For the registry of a server that has one of its own."""
        return iter(self._registry.collect())

    def text(self) -> bytes:
        """In Prometheus' format."""
        return generate_latest(self._registry)
