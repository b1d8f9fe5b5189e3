"""Metrics from the gateway itself: what its proxies tell at `SEAWAY_GATEWAY_STATS`."""

import time
from collections.abc import Iterator
from http import HTTPStatus

from prometheus_client.parser import text_string_to_metric_families

from seaway.errors import InvalidSpec, MetricsUnavailable
from seaway.monitoring import ArmCounts
from seaway.platforms.kubernetes.client.connection import connected
from seaway.platforms.kubernetes.client.http import fetch
from seaway.platforms.kubernetes.metrics.envoy_counters import ENVOY, ISTIO, ArmTallies, Series
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.serving import DeployedEndpoint

TIMEOUT_S = 5.0
FILTER = "?filter=(upstream_rq(_completed|_time|_[0-9]%2B)?$|istio_request)"  # of Envoy's own names


class GatewayMetrics:
    """Counts of an endpoint's arms, read from each replica of the gateway.

    Args:
        namespace: of the endpoints; by default this process's.
        stats: URLs, separated by commas, one for each replica; by default `SEAWAY_GATEWAY_STATS`.
    """

    def __init__(self, namespace: str | None = None, stats: str | None = None) -> None:
        given = stats if stats is not None else Gateway().stats
        self._replicas = [url.strip() for url in given.split(",") if url.strip()]
        if not self._replicas:
            raise InvalidSpec(
                "Nothing says where the gateway tells its counters: set SEAWAY_GATEWAY_STATS to the URL of each of its "
                "replicas (such as http://10.0.0.7:15090/stats/prometheus), or count by Prometheus."
            )
        self._namespace = namespace or connected().namespace
        self._tallies = ArmTallies()

    def read(self, endpoint: DeployedEndpoint) -> dict[str, ArmCounts]:
        """Counts of all requests to the arms; latencies lag by Envoy's flush interval (5 s by default).

        Raises:
            MetricsUnavailable: a replica does not answer, or has no counters of an arm.
        """
        series = [one for url in self._replicas for one in _scraped(url)]
        return self._tallies.read(endpoint, self._namespace, series, f"The gateway at {', '.join(self._replicas)}")


def _scraped(url: str) -> Iterator[Series]:
    try:
        answer = fetch(url if "?" in url else url + FILTER, TIMEOUT_S)
        if answer.status != HTTPStatus.OK:
            raise MetricsUnavailable(f"The gateway at {url} answered {answer.status} for its counters.")
        families = list(text_string_to_metric_families(answer.body.decode()))
    except (OSError, ValueError) as error:
        raise MetricsUnavailable(f"The gateway at {url} does not tell its counters: {error}.") from error
    for sample in (sample for family in families for sample in family.samples):
        plain = sample.name.removesuffix("_total")  # the parser ends all counters' names so
        name = plain if plain in ENVOY else sample.name
        if name in ISTIO + ENVOY:
            yield Series(name, {**sample.labels, "instance": url}, [(time.monotonic(), sample.value)])
