"""A proxy between a client and the real API server that breaks what it is told to break.

The client speaks plain HTTP to it; it speaks to the server as the kubeconfig says. Every other request passes as it is.
"""

import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from kubernetes.client import Configuration
from seaway.platforms.kubernetes.client.connection import Connection, connection_of

STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=[.\dZ])")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]

    @property
    def watch(self) -> bool:
        return self.query.get("watch") == "true"

    @property
    def log(self) -> bool:
        return self.path.endswith("/log")


Match = Callable[[Request], bool]


@dataclass
class Fault:
    """What happens instead of, or after, a request that matches; `times` counts down."""

    match: Match
    code: int = 0  # answer this instead of asking the server
    reason: str = ""
    message: str = ""
    body: object = None  # the whole answer, instead of a Status of these
    event: bool = False  # as an ERROR event of a watch that was accepted
    lose_answer: bool = False  # the server carries it out, the client never hears of it
    cut_after: int = 0  # bytes of the answer, then the connection breaks
    times: int = 1

    def answer(self) -> bytes:
        if self.body is not None:
            return json.dumps(self.body).encode()
        answer = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": self.code}
        return json.dumps(answer | {"reason": self.reason, "message": self.message}).encode()


@dataclass
class ApiProxy:
    """Start it with `serving`; `host` is its address."""

    upstream: Configuration
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    skew: timedelta = timedelta()
    address: tuple[str, int] = ("127.0.0.1", 0)
    lock: threading.Lock = field(default_factory=threading.Lock)
    sockets: set[socket.socket] = field(default_factory=set)
    server: ThreadingHTTPServer | None = None

    @property
    def host(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"

    def inject(self, match: Match, **what: object) -> Fault:
        fault = Fault(match, **what)
        with self.lock:
            self.faults.append(fault)
        return fault

    def up(self) -> None:
        proxy = self
        server = _Server(self.address, type("Handler", (_Handler,), {"proxy": proxy}))
        self.address = server.server_address[:2]
        self.server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self) -> None:
        """Refuse connections and break those that are open."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        self.cut()

    def cut(self) -> None:
        """Break every open connection."""
        with self.lock:
            for connection in self.sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def take(self, request: Request) -> Fault | None:
        with self.lock:
            self.requests.append(request)
            for fault in self.faults:
                if fault.times > 0 and fault.match(request):
                    fault.times -= 1
                    return fault
        return None

    def connect(self) -> http.client.HTTPConnection:
        where = urlsplit(self.upstream.host)
        if where.scheme == "http":
            return http.client.HTTPConnection(where.hostname, where.port)
        context = ssl.create_default_context(cafile=self.upstream.ssl_ca_cert)
        if not self.upstream.verify_ssl:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self.upstream.cert_file:
            context.load_cert_chain(self.upstream.cert_file, self.upstream.key_file)
        return http.client.HTTPSConnection(where.hostname, where.port, context=context)


@contextmanager
def serving(upstream: Configuration) -> Iterator[ApiProxy]:
    proxy = ApiProxy(upstream)
    proxy.up()
    try:
        yield proxy
    finally:
        proxy.down()


def through(proxy: ApiProxy, connection: Connection) -> Connection:
    """The connection's namespace, reached through the proxy by the same account."""
    settings, given = Configuration(), connection.requests.configuration
    settings.host, settings.api_key, settings.api_key_prefix = proxy.host, given.api_key, given.api_key_prefix
    return connection_of(settings, connection.namespace)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are what this proxy is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: ApiProxy

    def setup(self) -> None:
        super().setup()
        with self.proxy.lock:
            self.proxy.sockets.add(self.connection)

    def finish(self) -> None:
        with self.proxy.lock:
            self.proxy.sockets.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """`do_GET`, `do_POST` and so on are one."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        where = urlsplit(self.path)
        request = Request(self.command, where.path, dict(parse_qsl(where.query)))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.take(request)
        if fault and fault.code:
            return self._answer(fault)
        return self._forward(request, body, fault)

    def _answer(self, fault: Fault) -> None:
        body = fault.answer()
        if fault.event:
            body = b'{"type":"ERROR","object":' + body + b"}\n"
        self.send_response(200 if fault.event else fault.code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, request: Request, body: bytes, fault: Fault | None) -> None:
        upstream = self.proxy.connect()
        try:
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            upstream.request(self.command, self._target(request), body or None, headers)
            response = upstream.getresponse()
            if fault and fault.lose_answer:
                response.read()
                self.close_connection = True
                return
            self._relay(response, fault.cut_after if fault else 0)
        finally:
            upstream.close()

    def _target(self, request: Request) -> str:
        query = dict(request.query)
        if self.proxy.skew and "sinceTime" in query:  # the kubelet's clock is the one that stamped the lines
            moment = datetime.fromisoformat(query["sinceTime"]) - self.proxy.skew
            query["sinceTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{request.path}?{urlencode(query)}" if query else request.path

    def _relay(self, response: http.client.HTTPResponse, cut_after: int) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.headers.get("Content-Type", "application/json"))
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        for chunk in self._shifted(response):
            if cut_after and sent + len(chunk) >= cut_after:
                self._send(chunk[: cut_after - sent])
                self.close_connection = True
                return
            self._send(chunk)
            sent += len(chunk)
        self.wfile.write(b"0\r\n\r\n")

    def _send(self, chunk: bytes) -> None:
        if chunk:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()

    def _shifted(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        """The answer, every time in it moved as if the server's clock were wrong."""
        if not self.proxy.skew:
            yield from iter(lambda: response.read1(1 << 16), b"")
            return
        for line in response:
            yield STAMP.sub(self._move, line)

    def _move(self, found: re.Match[bytes]) -> bytes:
        moved = datetime.fromisoformat(found[0].decode()) + self.proxy.skew
        return moved.strftime("%Y-%m-%dT%H:%M:%S").encode()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
