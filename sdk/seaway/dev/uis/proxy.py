"""A program's pages at NAME.localhost, the page's own port: a name that browsers look for on their own machine.

Each program is a site of its own that way: neither its scripts nor what it shows of an artifact reaches the page of
`seaway dev`, whose cookie is not sent there, and its pages need no prefix, which not all of them can have.
"""

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from seaway.dev.access import SAFE, Access, bearer, host_of
from seaway.dev.uis.children import Child, Children
from seaway.dev.uis.known import LOOPBACK, UIS

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

LOCAL = ".localhost"
OPEN = "/seaway-open"
HTTP_PORT = 80
AS_SENT = "/%:@!$&'()*+,;=~"  # of a path: what is quoted already stays
OURS = {  # headers that are not passed on: of one connection only, of this page's access, or said anew
    "authorization", "connection", "cookie", "host", "keep-alive", "origin", "proxy-authorization", "referer", "te",
    "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
AUTOMATIC = ("accept", "accept-encoding", "content-type", "user-agent")  # of the client; the browser's alone count
CLOSED = (  # its own pages need scripts of all kinds; nothing is fetched from elsewhere
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'self'; base-uri 'self'; "
    "frame-ancestors 'self'"
)
ADDED = {
    "content-security-policy": CLOSED,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
}


class ByHost:
    """Requests for the host of a program go to it, all others to the page."""

    def __init__(self, app: ASGIApp, access: Access, children: Children) -> None:
        self._app, self._access, self._children = app, access, children

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _program(scope) if scope["type"] == "http" else ""
        if not name:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if answer := self._answer(name, request):
            await answer(scope, receive, send)
        elif child := self._children.running(name):
            await _forward(child, request, send)
        else:
            await PlainTextResponse(f"{UIS[name].title} does not run.", 503)(scope, receive, send)

    def _answer(self, name: str, request: Request) -> Response | None:
        """Ours, to who is not let through."""
        port = request.url.port or HTTP_PORT
        if request.url.path == OPEN:
            if self._access.redeem(request.query_params.get("ticket", ""), name):
                return self._access.admit_to(name, RedirectResponse("/", 303), port)
            return PlainTextResponse("That link was opened before, or is too old.", 403)
        if self._access.is_token(bearer(request.headers)):
            return None
        origin = request.headers.get("origin")
        if request.method not in SAFE and origin != f"http://{request.headers['host']}":
            return PlainTextResponse("The request comes from another site.", 403)
        if not self._access.is_admitted_to(name, request.headers, port):
            return RedirectResponse(f"http://{LOOPBACK}:{port}/uis/{name}", 303)
        return None


def address(name: str, port: int, ticket: str) -> str:
    """Where a program's pages are opened."""
    return f"http://{name}{LOCAL}:{port}{OPEN}?ticket={ticket}"


def _program(scope: Scope) -> str:
    """The program that a request is for, by its Host; empty where it is for the page."""
    host = host_of(Headers(scope=scope))
    name, dot, rest = ((host.hostname if host else None) or "").partition(".")
    return name if name in UIS and dot + rest == LOCAL else ""


async def _forward(child: Child, request: Request, send: Send) -> None:
    """Ask the program, and hand its answer on as it comes."""
    import aiohttp
    from yarl import URL

    base = f"http://{LOOPBACK}:{child.port}"
    query = f"?{request.url.query}" if request.url.query else ""
    path = quote(request.scope.get("raw_path", request.url.path.encode()), safe=AS_SENT)
    headers = [(name, value) for name, value in request.headers.items() if name not in OURS]
    body = _body(request) if {"content-length", "transfer-encoding"} & set(request.headers) else None
    url = URL(base + path + query, encoded=True)
    try:
        async with (
            _session() as session,
            session.request(request.method, url, headers=headers, data=body, allow_redirects=False) as answer,
        ):
            await _hand_on(answer, base, send)
    except aiohttp.ClientConnectorError:
        told = PlainTextResponse("The program does not answer; open it anew from the page.", 503)
        await told(request.scope, request.receive, send)


def _session() -> "ClientSession":
    """One that sends nothing of its own, and hands on what comes as it is."""
    import aiohttp

    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=AUTOMATIC,
    )


async def _hand_on(answer: "ClientResponse", base: str, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": list(_headers(answer, base))})
    async for chunk in answer.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _headers(answer: "ClientResponse", base: str) -> Iterable[tuple[bytes, bytes]]:
    for name, value in answer.headers.items():
        if name.lower() not in OURS and name.lower() not in {"server", "date"}:
            told = _relative(value, base) if name.lower() == "location" else value
            yield name.lower().encode("latin-1"), told.encode("latin-1")
    for name, value in ADDED.items():
        yield name.encode(), value.encode()


def _relative(location: str, base: str) -> str:
    """Where it leads, by the name that the browser knows."""
    parts = urlsplit(location)
    return parts._replace(scheme="", netloc="").geturl() if location.startswith(base) else location


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk
