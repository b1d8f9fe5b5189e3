"""Traffic between the arms of an endpoint on this machine, and its counts: Envoy, told by files."""

import http.client
import re
from collections.abc import Mapping

from seaway.errors import DataUnreadable, EndpointFailed, MetricsUnavailable, TrafficFailed
from seaway.model_server import unix_http
from seaway.model_server.envoy.process import admin_socket, follow
from seaway.monitoring import ArmCounts
from seaway.rollout.traffic import ALL_STABLE, require_mirrored
from seaway.rollout.warrant import Warrant
from seaway.serving import DeployedEndpoint


class EnvoyTraffic:
    """Weights between an endpoint's arms."""

    def present(self, endpoint: DeployedEndpoint, warrant: Warrant) -> None:
        """See `Traffic`: nobody guards the route of this machine, whose owner runs both."""

    def presented(self, endpoint: DeployedEndpoint) -> Warrant | None:
        """See `Traffic`."""
        return None

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        """Split inference requests in per cent; returns once answers show that Envoy routes by these weights.

        Raises:
            TrafficFailed: the endpoint lacks an arm, the weights do not add up to 100, or Envoy does not follow them.
        """
        current = _recorded(endpoint)
        unknown = sorted(weights.keys() - current.arms.keys())
        if unknown or sum(weights.values()) != 100 or min(weights.values(), default=-1) < 0:  # noqa: PLR2004 per cent
            raise TrafficFailed(
                f"Weights {dict(weights)} for endpoint {endpoint.name} with arms {sorted(current.arms)}: they must be "
                "whole per cents of existing arms that add up to 100."
            )
        follow(current, weights)

    def mirror(self, endpoint: DeployedEndpoint, percent: int) -> None:
        """See `Traffic`. Raises: TrafficFailed."""
        current = _recorded(endpoint)
        require_mirrored(current, percent)
        follow(current, ALL_STABLE, percent)

    def weights(self, endpoint: DeployedEndpoint) -> dict[str, int]:
        """Per cent by arm, as Envoy itself has them. Raises: TrafficFailed where it does not answer."""
        try:
            dump = unix_http.get_json(admin_socket(endpoint), "/config_dump?resource=dynamic_route_configs")
            routes = dump["configs"][0]["route_config"]["virtual_hosts"][0]["routes"]
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            raise TrafficFailed(f"Envoy of endpoint {endpoint.name} does not tell its weights: {error!r}.") from error
        split = next(route for route in routes if route.get("name") == "infer")["route"]["weighted_clusters"]
        arms = {arm.cluster: name for name, arm in _recorded(endpoint).arms.items()}
        return {arms[cluster["name"]]: int(cluster.get("weight", 0)) for cluster in split["clusters"]}


class EnvoyMetrics:
    """An endpoint's counts, from Envoy's own statistics."""

    def read(self, endpoint: DeployedEndpoint) -> Mapping[str, ArmCounts]:
        """Counts of inference requests by arm; latencies are at most 0.2 s behind the counts.

        Raises:
            MetricsUnavailable: Envoy does not answer, or has no statistics of an arm.
        """
        try:
            arms = _recorded(endpoint).arms
            status, content = unix_http.request(
                admin_socket(endpoint), "GET", "/stats/prometheus?filter=^cluster\\..*upstream_rq"
            )
        except (OSError, http.client.HTTPException, DataUnreadable, EndpointFailed) as error:
            raise MetricsUnavailable(f"Envoy of endpoint {endpoint.name} is unreachable: {error}.") from error
        if status != http.client.OK:
            raise MetricsUnavailable(f"Envoy of endpoint {endpoint.name} answered {status} for its statistics.")
        text = content.decode()
        return {name: _counts(text, arm.cluster) for name, arm in arms.items()}


def _recorded(endpoint: DeployedEndpoint) -> DeployedEndpoint:
    return DeployedEndpoint.read(endpoint.folder / "endpoint.json")


def _counts(text: str, cluster: str) -> ArmCounts:
    label = f'envoy_cluster_name="{cluster}"'
    if _sample(text, f"envoy_cluster_upstream_rq_total{{{label}}}") is None:
        raise MetricsUnavailable(f"Envoy has no statistics of {cluster}; has it been removed?")
    requests = _sample(text, f"envoy_cluster_upstream_rq_completed{{{label}}}")
    errors = _sample(text, f'envoy_cluster_upstream_rq_xx{{envoy_response_code_class="5",{label}}}')
    pattern = rf'^envoy_cluster_upstream_rq_time_bucket{{{label},le="([^"]+)"}} (\d+)$'
    latency = {float(bound) / 1000: int(count) for bound, count in re.findall(pattern, text, re.MULTILINE)}
    return ArmCounts(requests or 0, errors or 0, latency)


def _sample(text: str, series: str) -> int | None:
    found = re.search(rf"^{re.escape(series)} (\d+)$", text, re.MULTILINE)
    return int(found.group(1)) if found else None
