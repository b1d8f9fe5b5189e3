"""The gateway's counters for pods: its Envoy tells them on this machine's loopback only."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import edge
import pytest
from http_server import serving, url
from kubernetes import client


class Counters(BaseHTTPRequestHandler):
    """Answers as the Envoy does, to the one question that reads."""

    def do_GET(self) -> None:
        found = edge.fetch(edge.STATS + self.path.partition("/stats/prometheus")[2], 5.0)
        self.send_response(HTTPStatus(found.status))
        self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        self.wfile.write(found.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def told_to_pods(api: client.ApiClient) -> Iterator[str]:
    """The URL at which pods read the counters; skips where pods do not reach this machine."""
    if urlsplit(edge.STATS).hostname not in ("127.0.0.1", "localhost"):
        pytest.skip(f"the gateway's counters at {edge.STATS} are not this machine's, so no pod can be shown them")
    with serving(Counters, address=address_for_pods(api)) as server:
        yield f"{url(server)}/stats/prometheus"


def address_for_pods(api: client.ApiClient) -> str:
    """Of this machine, as pods reach it; skips where it is no node of the cluster."""
    nodes = client.CoreV1Api(api).list_node().items
    addresses = [one.address for node in nodes for one in node.status.addresses if one.type == "InternalIP"]
    for address in addresses:
        with closing(socket.socket()) as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                continue
            return address
    pytest.skip(f"this machine is no node of the cluster ({', '.join(addresses)}), so pods do not reach it")
