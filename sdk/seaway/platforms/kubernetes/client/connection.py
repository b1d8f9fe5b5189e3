"""Access to one namespace of a cluster: kubeconfig or in-cluster, time-outs, one pooled client a process."""

import functools
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client, config
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection

from seaway.errors import InvalidSpec

POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
CONNECT_S, READ_S = 10.0, 30.0
MAX_REQUESTS = 16  # connections that ask and answer; further requests wait for one of them
OUTAGE_S = 120.0  # an API server is upgraded or fails over in less
# A peer that vanished without a word is noticed after 10 + 3 x 10 s.
KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


@dataclass(frozen=True, eq=False)
class Connection:
    """Who we are at which API server, in which namespace.

    `requests` and `streams` are separate pools, so that thousands of open log streams never keep a request waiting.
    """

    namespace: str
    requests: client.ApiClient = field(repr=False)
    streams: client.ApiClient = field(repr=False)
    outage_s: float = OUTAGE_S

    def request(
        self, method: str, path: str, query: Mapping[str, Any], body: object = None, content_type: str | None = None
    ) -> bytes:
        """One request, answered whole.

        Raises:
            kubernetes.client.ApiException: the server refused.
            urllib3.exceptions.HTTPError: it could not be reached.
        """
        headers = {"Content-Type": content_type} if content_type else {}
        response = _send(self.requests, method, path, query, (CONNECT_S, READ_S), headers, body)
        try:
            return bytes(response.data)
        finally:
            response.release_conn()

    @contextmanager
    def stream(self, path: str, query: Mapping[str, Any], silence_s: float) -> Iterator[BaseHTTPResponse]:
        """An answer that goes on; it breaks after `silence_s` seconds without a byte."""
        response = _send(self.streams, "GET", path, query, (CONNECT_S, silence_s), {}, None)
        try:
            yield response
        finally:
            response.close()


def _send(
    api: client.ApiClient,
    method: str,
    path: str,
    query: Mapping[str, Any],
    timeout: tuple[float, float],
    headers: dict[str, str],
    body: object,
) -> BaseHTTPResponse:
    response: BaseHTTPResponse = api.call_api(
        path,
        method,
        query_params=list(query.items()),
        header_params={"Accept": "application/json", **headers},
        body=body,
        auth_settings=["BearerToken"],
        _preload_content=False,
        _return_http_data_only=True,
        _request_timeout=timeout,
    )
    return response


@functools.cache
def connect(namespace: str | None = None) -> Connection:
    """The connection of this process: `KUBECONFIG` or `~/.kube/config` where there is one, else the pod's account.

    Raises:
        InvalidSpec: neither is there.
    """
    settings = client.Configuration()
    context = _load(settings)
    return connection_of(settings, namespace or context)


def connected() -> Connection:
    """The connection to the namespace that `SEAWAY_NAMESPACE` names, else to that of the context."""
    return connect(os.environ.get("SEAWAY_NAMESPACE"))


def connection_of(settings: client.Configuration, namespace: str) -> Connection:
    """A connection by settings that are made elsewhere."""
    settings.retries = False  # `objects` retries, with back-off
    settings.connection_pool_maxsize = MAX_REQUESTS
    return Connection(namespace, _client(settings, block=True), _client(settings, block=False))


def _load(settings: client.Configuration) -> str:
    """Fill `settings` and return the namespace that goes with them."""
    try:
        config.load_kube_config(client_configuration=settings)
        _, context = config.list_kube_config_contexts()
        return str(context["context"].get("namespace", "default"))
    except config.ConfigException as no_kubeconfig:
        if "KUBERNETES_SERVICE_HOST" not in os.environ:
            raise InvalidSpec(
                f"There is no cluster to talk to: {no_kubeconfig} Set KUBECONFIG, or run inside a pod."
            ) from no_kubeconfig
        config.load_incluster_config(client_configuration=settings)
        return POD_NAMESPACE.read_text(encoding="utf-8").strip()


def _client(settings: client.Configuration, *, block: bool) -> client.ApiClient:
    api = client.ApiClient(settings)
    options = [(socket.IPPROTO_TCP, getattr(socket, name), s) for name, s in KEEPALIVE.items() if hasattr(socket, name)]
    alive = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *options]
    api.rest_client.pool_manager.connection_pool_kw.update(block=block, socket_options=alive)
    return api
