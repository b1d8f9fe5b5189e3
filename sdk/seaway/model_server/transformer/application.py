"""The ASGI application: a request with keys becomes the endpoint's own, and the endpoint's answer is told as it is."""

import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from seaway.errors import FeaturesUnavailable, InvalidSpec
from seaway.model_server.transformer.form import Form
from seaway.model_server.transformer.lookup import Lookup
from seaway.serving.clients.address import Address
from seaway.serving.clients.trust import Trust
from seaway.serving.protocol.binary import HEADER
from seaway.serving.protocol.request import LARGEST_MESSAGE

STATED = "x-seaway-features"  # of an answer: whether features were found, or are missing since the store was late
PASSED = ("x-seaway-arm", "x-seaway-version", "retry-after", STATED)  # headers of an answer that callers get
ASKED = ("authorization", "x-seaway-arm")  # headers of a request that the endpoint gets
BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds
OK, BAD, UNAUTHORIZED, TOO_LARGE, BAD_GATEWAY, UNAVAILABLE = 200, 400, 401, 413, 502, 503


@dataclass(frozen=True)
class Upstream:
    """The endpoint that answers, by a connection of the event loop's.

    Args:
        url: Its URL.
        model: Its name.
        host: Host header by which a shared gateway knows it.
        tokens: Bearer tokens that are taken now.
        timeout_s: Of a request.
        trust: Of an https URL.
    """

    url: str
    model: str
    tokens: Callable[[], Sequence[str]]
    host: str = ""
    timeout_s: float = 30.0
    trust: Trust = field(default_factory=Trust.here)

    @property
    def path(self) -> str:
        """Of the model."""
        return f"/v2/models/{self.model}"

    def session(self) -> aiohttp.ClientSession:
        """A session of requests, to be closed."""
        tls = self.trust.context() if Address.of(self.url).tls else True
        connector = aiohttp.TCPConnector(limit=0, ssl=tls)
        headers = {"content-type": "application/json", **({"host": self.host} if self.host else {})}
        limit = aiohttp.ClientTimeout(total=self.timeout_s)
        return aiohttp.ClientSession(connector=connector, headers=headers, timeout=limit, auto_decompress=False)


class Transformer:
    """Answers at the endpoint's own paths."""

    def __init__(self, upstream: Upstream, lookup: Lookup, form: Form) -> None:
        self._upstream, self._lookup, self._form = upstream, lookup, form
        self._registry = one = CollectorRegistry()
        self._outcomes = Counter("seaway_lookups", "Look-ups by how they went.", ["outcome"], registry=one)
        self._seconds = Histogram("seaway_lookup_seconds", "How long they took.", registry=one, buckets=BUCKETS)
        self._session: aiohttp.ClientSession

    @property
    def application(self) -> Starlette:
        """For an ASGI server."""
        path = self._upstream.path
        routes = [
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ask),
            Route(f"{path}/ready", self._ask),
            Route(path, self._metadata),
            Route("/metrics", self._metrics),
            Route(f"{path}/infer", self._infer, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={Refusal: _refused}, lifespan=self._connected)

    @asynccontextmanager
    async def _connected(self, _application: Starlette) -> AsyncIterator[None]:
        async with self._upstream.session() as self._session:
            yield

    async def _live(self, request: Request) -> Response:
        self._require_token(request)
        return JSONResponse({"live": True})

    async def _metadata(self, request: Request) -> Response:
        self._require_token(request)
        return JSONResponse(self._form.told())

    async def _metrics(self, request: Request) -> Response:
        self._require_token(request)
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")

    async def _ask(self, request: Request) -> Response:
        self._require_token(request)
        return await self._forward(request, "GET", request.url.path, None, {})

    async def _infer(self, request: Request) -> Response:
        self._require_token(request)
        body = await _body(request)
        stated, filled = await self._filled(body)
        answer = await self._forward(request, "POST", f"{self._upstream.path}/infer", filled, {STATED: stated})
        if answer.status_code == BAD:
            await self._learn(request)
        return answer

    async def _filled(self, body: Any) -> tuple[str, str]:
        """How the look-up went, and the body of the endpoint's request. Raises: Refusal."""
        form, began = self._form, time.monotonic()
        try:
            asked = form.read(body)
            outcome, values = await self._lookup(asked.columns)
        except InvalidSpec as error:
            raise Refusal(BAD, str(error)) from error
        except FeaturesUnavailable as error:
            self._outcomes.labels("refused").inc()
            raise Refusal(UNAVAILABLE, str(error)) from error
        self._seconds.observe(time.monotonic() - began)
        self._outcomes.labels(outcome).inc()
        try:
            return outcome, json.dumps(form.filled(body, asked.rows, values))
        except RecursionError as error:
            raise Refusal(BAD, "The request is too deeply nested.") from error

    async def _learn(self, request: Request) -> None:
        """The endpoint refuses what is sent to it, so its model may be another by now."""
        answer = await self._forward(request, "GET", self._upstream.path, None, {})
        if answer.status_code == OK:
            self._form = Form(json.loads(bytes(answer.body)), self._lookup.keys, self._lookup.features)

    async def _forward(
        self, request: Request, method: str, path: str, body: str | None, told: Mapping[str, str]
    ) -> Response:
        """The endpoint's answer. Raises: Refusal: there is none."""
        headers = {name: value for name in ASKED if (value := request.headers.get(name))}
        try:
            async with self._session.request(method, self._upstream.url + path, data=body, headers=headers) as answer:
                content_type, read = answer.headers.get("content-type"), await answer.read()
                passed = {name: value for name in PASSED if (value := answer.headers.get(name))}
                return Response(read, answer.status, {**passed, **told}, media_type=content_type)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Refusal(BAD_GATEWAY, f"The endpoint does not answer: {error!r}.") from error

    def _require_token(self, request: Request) -> None:
        """Raises: Refusal. The endpoint checks it again; until then a stranger would cost look-ups."""
        given = request.headers.get("authorization", "").encode()
        known = [hmac.compare_digest(given, f"Bearer {token}".encode()) for token in self._upstream.tokens()]
        if not any(known):
            raise Refusal(UNAUTHORIZED, "The bearer token is missing or wrong; see the endpoint's token file.")


class Refusal(Exception):
    """An answer that is no endpoint's."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


async def _refused(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, getattr(error, "status", UNAVAILABLE))


async def _body(request: Request) -> Any:
    """What a request holds. Raises: Refusal: it is too large, or no JSON."""
    if HEADER in request.headers:
        raise Refusal(BAD, "Binary tensors are not taken where features are looked up; send JSON.")
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > LARGEST_MESSAGE:
                raise Refusal(TOO_LARGE, f"The request has more than {LARGEST_MESSAGE} bytes; send fewer rows.")
    except ClientDisconnect as error:
        raise Refusal(BAD, "The caller has hung up.") from error
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refusal(BAD, f"The request is no JSON: {error}.") from error
