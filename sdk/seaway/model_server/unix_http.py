"""HTTP over Unix sockets: how an endpoint's parts talk, out of reach of the machine's other users."""

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a socket file."""

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def request(
    path: Path, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and content of one request. Raises: OSError, http.client.HTTPException where there is no answer."""
    connection = UnixConnection(path)
    try:
        payload, kind = (None, {}) if body is None else (json.dumps(body), {"content-type": "application/json"})
        connection.request(method, target, payload, {**kind, **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def get_json(path: Path, target: str) -> Any:
    """The JSON that a GET answers. Raises: OSError, HTTPException, ValueError."""
    status, content = request(path, "GET", target)
    if status != http.client.OK:
        raise http.client.HTTPException(f"{target} answered {status}")
    return json.loads(content)
