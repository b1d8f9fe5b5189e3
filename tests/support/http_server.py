"""HTTP servers of tests, on loopback unless told otherwise."""

import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

POLL_S = 0.05


class Server(ThreadingHTTPServer):
    """Tells nothing of clients that hang up: its threads may outlive a test, whose neighbour looks at what is told."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print all other errors."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
) -> Iterator[ThreadingHTTPServer]:
    """Serve on a free port of the address until the end of the block, also where the block raises.

    A server that is closed while its thread still polls keeps the next file of that number open.
    """
    with Server((address, 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def url(server: ThreadingHTTPServer) -> str:
    scheme = "https" if isinstance(server.socket, ssl.SSLSocket) else "http"
    return f"{scheme}://{server.server_address[0]}:{server.server_port}"
