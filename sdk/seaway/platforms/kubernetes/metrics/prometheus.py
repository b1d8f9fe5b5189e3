"""Metrics from Prometheus: `istio_requests_total` where Istio's proxy runs at the gateway, else Envoy's own counters.

Samples are asked for with their times, so that nothing is made up between them, and only those of the last `max_age_s`
seconds by Prometheus' own clock: a target that is no longer scraped has none. Whatever is not a whole and fresh answer
is MetricsUnavailable.
"""

import json
import os
import re
import time
from typing import Any

from seaway.errors import InvalidSpec, MetricsUnavailable
from seaway.monitoring import ArmCounts
from seaway.platforms.kubernetes.client.connection import connected
from seaway.platforms.kubernetes.client.prometheus import query
from seaway.platforms.kubernetes.metrics.envoy_counters import ENVOY, ISTIO, ArmTallies, NotCounted, Series
from seaway.platforms.kubernetes.traffic.gateway import service
from seaway.serving import DeployedEndpoint

TIMEOUT_S = 5.0
MAX_AGE_S = 90  # three scrapes at the Prometheus operator's default interval
PATIENCE_S = 45.0
POLL_S = 0.5


class PrometheusMetrics:
    """Counts of an endpoint's arms by Prometheus' HTTP API.

    Args:
        namespace: of the endpoints; by default this process's.
        url: by default `SEAWAY_PROMETHEUS_URL`.
        max_age_s: how old a sample may be, in seconds; at least the scrape interval.
        patience_s: how long a scrape that brings an arm's first counters is waited for, in seconds.
    """

    def __init__(
        self,
        namespace: str | None = None,
        url: str | None = None,
        max_age_s: int = MAX_AGE_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._url = (url if url is not None else os.environ.get("SEAWAY_PROMETHEUS_URL", "")).rstrip("/")
        if not self._url:
            raise InvalidSpec(
                "Nothing says where Prometheus is: set SEAWAY_PROMETHEUS_URL (such as "
                "http://prometheus.istio-system:9090), or count by the gateway's own counters: "
                "SEAWAY_TRAFFIC_METRICS=gateway."
            )
        self._namespace = namespace or connected().namespace
        self._max_age_s, self._patience_s = max_age_s, patience_s
        self._asked: set[str] = set()
        self._tallies = ArmTallies()

    def read(self, endpoint: DeployedEndpoint) -> dict[str, ArmCounts]:
        """Counts of all requests to the arms, as old as the last scrape.

        From the second time on counters that are missing are waited for: requests have been sent since the first.

        Raises:
            MetricsUnavailable: Prometheus does not answer in full, or has no fresh counters of an arm.
        """
        deadline = time.monotonic() + (self._patience_s if endpoint.name in self._asked else 0.0)
        self._asked.add(endpoint.name)
        while True:
            try:
                return self._read(endpoint)
            except NotCounted:
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_S)

    def _read(self, endpoint: DeployedEndpoint) -> dict[str, ArmCounts]:
        series = self._samples(_istio(endpoint, self._namespace)) or self._samples(_envoy(endpoint, self._namespace))
        source = f"Prometheus at {self._url}, within the last {self._max_age_s} s,"
        return self._tallies.read(endpoint, self._namespace, series, source)

    def _samples(self, selector: str) -> list[Series]:
        result = query(self._url, f"{selector}[{self._max_age_s}s]", TIMEOUT_S)
        try:
            return [_series(entry) for entry in result]
        except (KeyError, TypeError, ValueError) as error:
            raise MetricsUnavailable(f"Prometheus at {self._url} tells samples that are none: {error!r}.") from error


def _series(entry: dict[str, Any]) -> Series:
    labels = dict(entry["metric"])
    return Series(labels.pop("__name__"), labels, [(float(time), float(value)) for time, value in entry["values"]])


def _istio(endpoint: DeployedEndpoint, namespace: str) -> str:
    names = "|".join(service(endpoint, arm) for arm in sorted(endpoint.arms))
    wanted = {
        "__name__": "|".join(ISTIO),
        "reporter": "source",
        "destination_service_namespace": namespace,
        "destination_service_name": names,
    }
    return _selector(wanted)


def _envoy(endpoint: DeployedEndpoint, namespace: str) -> str:
    """A series has one of the two labels; the other then is the empty text, which matches as well."""
    hosts = "|".join(service(endpoint, arm) for arm in sorted(endpoint.arms))
    arms = "|".join(sorted(endpoint.arms))
    cluster = rf"outbound\|[0-9]+\|(({arms})\|.*|[^|]*\|({hosts}))\.{re.escape(namespace)}\.svc.*|"
    return _selector({"__name__": "|".join(ENVOY), "cluster_name": cluster, "envoy_cluster_name": cluster})


def _selector(wanted: dict[str, str]) -> str:
    return "{" + ",".join(f"{label}=~{json.dumps(pattern)}" for label, pattern in wanted.items()) + "}"
