"""A server that is put to the checks: where it is, what its model takes, and one way to ask it."""

import contextlib
import http.client
import json
import math
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from seaway.errors import InferenceUnavailable
from seaway.serving.clients.address import Address
from seaway.serving.clients.http import connect
from seaway.serving.clients.trust import Trust

MADE_UP: dict[str, Any] = {"BYTES": "a", "BOOL": True, "FP16": 0.5, "FP32": 0.5, "FP64": 0.5}  # of others, 1
ROWS = 2


@dataclass(frozen=True)
class Answer:
    """Status, headers in lower case, and content of an answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def refused(self) -> bool:
        """Whether the server says that the request is wrong, and not that it failed."""
        return http.client.BAD_REQUEST <= self.status < http.client.INTERNAL_SERVER_ERROR

    @property
    def json(self) -> Any:
        """What it says; None where that is no JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    @property
    def told(self) -> str:
        """Its beginning, for a message."""
        return f"{self.status} {self.content[:120].decode('utf-8', 'replace')!r}"


@dataclass(frozen=True)
class Target:
    """A server at a URL.

    Args:
        url: Of REST, such as `http://127.0.0.1:8000`.
        model: Its name.
        token: Bearer token; empty where the server asks for none.
        host: Host header by which a shared gateway knows the server.
        grpc: URL of gRPC; empty where that is REST's.
        sample: Rows by input; empty makes some up from the model's metadata.
        connections: Opened at once in the check of many.
        timeout_s: Of a request.
        trust: Of `https://` URLs.
    """

    url: str
    model: str
    token: str = ""
    host: str = ""
    grpc: str = ""
    sample: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    connections: int = 100
    timeout_s: float = 30.0
    trust: Trust = field(default_factory=Trust.here)

    @property
    def address(self) -> Address:
        """Of REST. Raises: InvalidSpec."""
        return Address.of(self.url)

    @property
    def infer_path(self) -> str:
        """Where inference is asked for."""
        return f"/v2/models/{self.model}/infer"

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The model's. Raises: InferenceUnavailable: none, or not the protocol's."""
        answer = self.ask("GET", f"/v2/models/{self.model}")
        found = answer.json
        if answer.status != http.client.OK or not isinstance(found, dict) or not isinstance(found.get("inputs"), list):
            raise InferenceUnavailable(f"{self.url} has no metadata of {self.model}: {answer.told}.")
        return found

    @property
    def tensors(self) -> list[dict[str, Any]]:
        """New objects of the inputs of a request that is right."""
        return [self._tensor(spec) for spec in self.metadata["inputs"]]

    def request(self, **fields: Any) -> dict[str, Any]:
        """A new request that is right, with further fields."""
        return {"inputs": self.tensors, **fields}

    def infer(self, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for inference by any object, or by bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", self.infer_path, content, headers)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own. Raises: InferenceUnavailable: no answer."""
        address = self.address
        with contextlib.closing(connect(address, self.timeout_s, self.trust)) as connection:
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before its end
                    connection.request(method, address.path + path, body, {**self.headers, **(headers or {})})
                response = connection.getresponse()
                told = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, told, response.read())
            except (OSError, http.client.HTTPException) as error:
                raise InferenceUnavailable(f"{self.url}{path} did not answer: {error!r}.") from error

    @property
    def headers(self) -> dict[str, str]:
        """Of each request."""
        told = {"content-type": "application/json"}
        return (
            told
            | ({"authorization": f"Bearer {self.token}"} if self.token else {})
            | ({"host": self.host} if self.host else {})
        )

    def open(self) -> socket.socket:
        """A connection without a request. Raises: OSError."""
        address = self.address
        plain = socket.create_connection((address.host, address.port), self.timeout_s)
        return self.trust.context().wrap_socket(plain, server_hostname=address.host) if address.tls else plain

    def bare(self) -> bytes:
        """A right request as it goes over a socket, the last of its connection."""
        address, body = self.address, json.dumps(self.request()).encode()
        told = {"host": f"{address.host}:{address.port}", **self.headers, "connection": "close"}
        lines = [f"POST {address.path}{self.infer_path} HTTP/1.1", f"content-length: {len(body)}"]
        head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in told.items())])
        return f"{head}\r\n\r\n".encode() + body

    def _tensor(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        rows = list(self.sample.get(spec["name"], ()))[:ROWS]
        batched = not spec["shape"] or spec["shape"][0] == -1
        shape = [size if size > 0 else 1 for size in spec["shape"]]
        if rows:
            data = np.asarray(rows, object)
            return {**_named(spec), "shape": list(data.shape), "data": data.ravel().tolist()}
        shape = [ROWS, *shape[1:]] if batched else shape
        return {**_named(spec), "shape": shape, "data": [MADE_UP.get(spec["datatype"], 1)] * math.prod(shape)}


def _named(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: spec[key] for key in ("name", "datatype")}
