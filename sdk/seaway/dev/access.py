"""Who may see the page: who has the token of this state folder, which a browser gets by a link that opens once.

A browser shows no page of ours to another site's script: it would need the cookie, which is sent from our own pages
only, or a name for 127.0.0.1 of its own, which the Host header would tell.
"""

import hashlib
import hmac
import secrets
import time
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seaway.storage import write_private

TOKEN_BYTES = 32
TICKET_S = 300  # that a link waits to be opened
HOSTS = {"127.0.0.1", "localhost"}
SAFE = {"GET", "HEAD"}
OPEN = {"/open", "/sign-in"}  # and what is below /static
API = "/apis/"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",  # charts are SVG with a style of their own
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # without one a form's Origin would be null
    "X-Content-Type-Options": "nosniff",
}


class Access:
    """The token of a state folder, and the tickets and sessions that stand for it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "token"
        if not self.file.exists():
            write_private(self.file, secrets.token_urlsafe(TOKEN_BYTES))
        self._token = self.file.read_text(encoding="utf-8").strip()
        self._session = secrets.token_urlsafe(TOKEN_BYTES)
        self._used: set[str] = set()

    def ticket(self, program: str = "") -> str:
        """What a link to the page, or to a program beside it, is opened by, once, within `TICKET_S`.

        Any process that has the token can make one.
        """
        head = f"{int(time.time()) + TICKET_S}.{secrets.token_urlsafe(TOKEN_BYTES)}"
        return f"{head}.{self._seal(head + program)}"

    def redeem(self, ticket: str, program: str = "") -> bool:
        """Whether a ticket is ours and for this, in time, and opened for the first time."""
        head, _, seal = ticket.rpartition(".")
        if not hmac.compare_digest(self._seal(head + program).encode(), seal.encode()) or ticket in self._used:
            return False
        self._used.add(ticket)
        return int(head.partition(".")[0]) >= time.time()

    def is_token(self, word: str) -> bool:
        return hmac.compare_digest(self._token.encode(), word.strip().encode())

    def is_session(self, word: str) -> bool:
        return hmac.compare_digest(self._session.encode(), word.encode())

    def admit(self, response: Response, port: int) -> Response:
        """Have the browser keep the session until it is closed, or this server is."""
        response.set_cookie(cookie_name(port), self._session, httponly=True, samesite="strict", path="/")
        return response

    def admit_to(self, program: str, response: Response, port: int) -> Response:
        """Likewise for a program's own host. Its pages are come to from this one, another site, so it is lax."""
        response.set_cookie(cookie_name(port), self._session_of(program), httponly=True, samesite="lax", path="/")
        return response

    def is_admitted_to(self, program: str, headers: Headers, port: int) -> bool:
        """Whether a request for a program's host has its session."""
        kept = SimpleCookie(headers.get("cookie", "")).get(cookie_name(port))
        return kept is not None and hmac.compare_digest(self._session_of(program).encode(), kept.value.encode())

    def _session_of(self, program: str) -> str:
        return self._seal(f"{self._session} {program}")

    def _seal(self, head: str) -> str:
        return hmac.new(self._token.encode(), head.encode(), hashlib.sha256).hexdigest()


def cookie_name(port: int) -> str:
    """A browser sends a cookie to every port of a host, so another server's has another name."""
    return f"seaway-{port}"


def bearer(headers: Headers) -> str:
    """The token that a request names; empty where it names none."""
    kind, _, word = headers.get("authorization", "").partition(" ")
    return word if kind.lower() == "bearer" else ""


def host_of(headers: Headers) -> SplitResult | None:
    """Where the reader thinks that this page is; None where that is no address."""
    try:
        host = urlsplit(f"//{headers.get('host', '')}")
        host.port  # noqa: B018  # refuses one that is no number
    except ValueError:
        return None
    return host


class Guard:
    """Lets requests through that may see the page, and gives each answer the headers that keep it closed."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refusal(scope)
        await (refused or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        host = host_of(headers)
        if host is None or host.hostname not in HOSTS:
            return PlainTextResponse("This page is served to 127.0.0.1 and localhost only.", 421)
        if self._access.is_token(bearer(headers)):
            return None
        origin = headers.get("origin")
        if scope["method"] not in SAFE and origin != f"http://{host.netloc}":
            return PlainTextResponse("The request comes from another site.", 403)
        if path in OPEN or path.startswith("/static/") or self._has_session(headers, host.port):
            return None
        if path.startswith(API):
            told = f"Send the token of {self._access.file}: Authorization: Bearer TOKEN; kfp's client: existing_token."
            return JSONResponse({"error": told, "code": 16, "message": told}, 401)
        return RedirectResponse("/sign-in", 303)

    def _has_session(self, headers: Headers, port: int | None) -> bool:
        kept = SimpleCookie(headers.get("cookie", "")).get(cookie_name(port or 80))
        return kept is not None and self._access.is_session(kept.value)
