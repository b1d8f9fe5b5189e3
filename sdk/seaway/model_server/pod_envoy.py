"""Envoy in front of the one model of a pod: requests with a token on one port, probes and counters on another.

The administration interface stays a Unix socket: the second port shows its counters and nothing else.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seaway.model_server import unix_http
from seaway.model_server.arm import LIVE, PORT, READY, SERVER_STATISTICS, STATISTICS, STATISTICS_PORT
from seaway.model_server.envoy import process as envoy
from seaway.model_server.envoy.config import (
    Server,
    answer,
    authorization,
    cluster,
    forwarding,
    header,
    health_check,
    infer_paths,
    latency_buckets,
    limits,
    listener,
    marked,
    port_of,
    protocol_routes,
    request_filters,
    socket_of,
)
from seaway.model_server.envoy.guard import UNGUARDED, Guard
from seaway.model_server.port import ModelServer
from seaway.model_server.processes import Daemon
from seaway.serving import Arm, DeployedEndpoint
from seaway.storage import write_private

EVERYWHERE = "0.0.0.0"  # noqa: S104  # a pod's own network namespace; the token guards requests
ADMIN, METRICS = "admin", "server-metrics"  # clusters


def start(
    endpoint: DeployedEndpoint,
    arm: Arm,
    server: ModelServer,
    address: str = EVERYWHERE,
    ports: Sequence[int] = (PORT,),
    guard: Guard = UNGUARDED,
) -> Daemon:
    """Start Envoy before the arm, whose server is up; it takes requests on all `ports`. Raises: EndpointFailed."""
    folder = endpoint.folder / envoy.NAME
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_routes(endpoint, arm, server, guard)
    write_private(folder / "bootstrap.json", json.dumps(bootstrap(endpoint, arm, server, address, ports, guard)))
    return envoy.run(endpoint.folder, folder / "bootstrap.json")


def write_routes(endpoint: DeployedEndpoint, arm: Arm, server: ModelServer, guard: Guard = UNGUARDED) -> None:
    """Have Envoy take the endpoint's tokens and its callers' as they are now."""
    key = server.key(endpoint, arm)
    infer = [_infer(endpoint.name, path, Server(arm.cluster, key)) for path in infer_paths(endpoint.name).values()]
    control = Server(envoy.control_cluster(arm.cluster), key)
    routes = protocol_routes(endpoint.name, endpoint.tokens(), infer, control)
    told, limited = {"x-seaway-version": arm.version}, limits(guard.requests_per_s, endpoint.callers())
    envoy.write_route_file(_routes(endpoint), time.monotonic_ns(), routes, told, limited)


def leave(endpoint: DeployedEndpoint) -> None:
    """Answer the readiness probe with 503, and each request with the wish to close its connection."""
    unix_http.request(envoy.admin_socket(endpoint), "POST", "/healthcheck/fail")


def bootstrap(
    endpoint: DeployedEndpoint,
    arm: Arm,
    server: ModelServer,
    address: str,
    ports: Sequence[int] = (PORT,),
    guard: Guard = UNGUARDED,
) -> dict[str, Any]:
    """Envoy's whole configuration, but for the routes of requests: those change with the token."""
    socket = envoy.server_socket(endpoint, arm.cluster)
    control = Server(envoy.control_cluster(arm.cluster), server.key(endpoint, arm))
    clusters: dict[str, Path] = {
        arm.cluster: socket,
        control.cluster: socket,
        ADMIN: envoy.admin_socket(endpoint),
        METRICS: server.statistics(endpoint, arm),
    }
    routes, filters = envoy.routes_of(_routes(endpoint)), request_filters()
    log = endpoint.folder / envoy.ACCESS_LOG if guard.access_log else None
    told = _config(_statistics(endpoint.name, control), arm.version)
    listeners = [
        *(listener(f"endpoint-{port}", port_of(address, port), routes, filters, log) for port in ports),
        listener("statistics", port_of(address, STATISTICS_PORT), told, [health_check(READY)]),
    ]
    return {
        "node": {"id": f"{endpoint.name}-{arm.version}", "cluster": "seaway"},
        "admin": {"address": socket_of(envoy.admin_socket(endpoint))},
        "stats_flush_interval": f"{envoy.STATS_FLUSH_S}s",
        "stats_config": latency_buckets(),
        "static_resources": {
            "listeners": listeners,
            "clusters": [cluster(name, path) for name, path in clusters.items()],
        },
    }


def _routes(endpoint: DeployedEndpoint) -> Path:
    return endpoint.folder / envoy.NAME / envoy.ROUTES


def _infer(model: str, path: str, server: Server) -> dict[str, Any]:
    route = {"cluster": server.cluster, **forwarding(model)}
    return {"match": {"path": path}, "route": route, "request_headers_to_add": [authorization(server.key)]}


def _statistics(model: str, control: Server) -> list[dict[str, Any]]:
    return [
        marked(READY, model, "ready", control),
        {"match": {"path": LIVE}, **answer(200, {"live": True})},
        {"match": {"path": STATISTICS}, "route": {"cluster": ADMIN}},
        {"match": {"path": SERVER_STATISTICS}, "route": {"cluster": METRICS}},
        {"match": {"prefix": "/"}, **answer(404, {"error": "Here are readiness and counters only."})},
    ]


def _config(routes: list[dict[str, Any]], version: str) -> dict[str, Any]:
    return {
        "route_config": {
            "response_headers_to_add": [header("x-seaway-version", version)],
            "virtual_hosts": [{"name": "pod", "domains": ["*"], "routes": routes}],
        }
    }
