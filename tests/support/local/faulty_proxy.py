"""A reverse proxy before a real S3 server that spoils chosen requests or answers."""

import http.client
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from http_server import serving, url

HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


Forward = Callable[[Request], Answer]
Fault = Callable[[Request, Forward], Answer | None]  # None: the connection is cut


def unavailable(request: Request, forward: Forward) -> Answer:
    """503 with S3's code for "too fast"; the server never sees the request."""
    return Answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)


def cut(request: Request, forward: Forward) -> None:
    """The connection breaks before the server has the whole request."""


def lose_answer(request: Request, forward: Forward) -> None:
    """The server does what it is asked, but its answer is lost."""
    forward(request)


def damage_request(request: Request, forward: Forward) -> Answer:
    """One bit of what is sent is flipped on the way."""
    return forward(Request(request.method, request.path, request.headers, _flip(request.body)))


def damage_answer(request: Request, forward: Forward) -> Answer:
    """One bit of what is read is flipped on the way."""
    answer = forward(request)
    return Answer(answer.status, answer.headers, _flip(answer.body))


def cut_answer(request: Request, forward: Forward) -> Answer:
    """The connection breaks in the middle of the answer: its length says more than comes."""
    answer = forward(request)
    length = [("Content-Length", str(len(answer.body)))]
    return Answer(answer.status, answer.headers + length, answer.body[: len(answer.body) // 2])


def _flip(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


@dataclass
class FaultyProxy:
    """Forwards to `upstream` (host:port); `spoil` says which of the next requests go wrong, and how."""

    upstream: str
    seen: list[str] = field(default_factory=list)
    plans: list[tuple[re.Pattern[str], Fault, int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def spoil(self, pattern: str, fault: Fault, times: int) -> None:
        """Let `fault` befall the next `times` requests whose "METHOD /path?query" has `pattern`."""
        with self.lock:
            self.plans.append((re.compile(pattern), fault, times))

    def count(self, pattern: str) -> int:
        """How many requests with `pattern` came."""
        return sum(bool(re.search(pattern, line)) for line in self.seen)

    def answer(self, request: Request) -> Answer | None:
        fault = self._next(f"{request.method} {request.path}")
        return fault(request, self.forward) if fault else self.forward(request)

    def forward(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        try:
            connection.request(request.method, request.path, request.body or None, request.headers)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def _next(self, line: str) -> Fault | None:
        with self.lock:
            self.seen.append(line)
            for index, (pattern, fault, times) in enumerate(self.plans):
                if times and pattern.search(line):
                    self.plans[index] = (pattern, fault, times - 1)
                    return fault
        return None


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[tuple[FaultyProxy, str]]:
    """Run a proxy before `upstream`; yields it and its own URL."""
    proxy = FaultyProxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = proxy.answer(Request(self.command, self.path, dict(self.headers), body))
            if answer is None:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            given = {name.lower() for name, _ in answer.headers if name.lower() == "content-length"}
            for name, value in answer.headers:
                if name.lower() not in HOP_BY_HOP or self.command == "HEAD":
                    self.send_header(name, value)
            if self.command != "HEAD":
                declared = [int(value) for name, value in answer.headers if name.lower() == "content-length"]
                self.send_header(
                    "Content-Length", str(max([*declared, len(answer.body)]) if given else len(answer.body))
                )
                self.close_connection = bool(declared) and max(declared) > len(answer.body)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Requests are counted, not printed."""

    with serving(Handler) as server:
        yield proxy, url(server)
