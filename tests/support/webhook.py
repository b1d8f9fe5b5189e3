"""A receiver of notices: what it is sent, in the order in which it came."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from http_server import serving


@dataclass
class Webhook:
    """Answers 200, or 500 while it is `refusing`, and keeps what it took; `address` is as notices have it."""

    address: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    refusing: bool = False


@contextmanager
def webhook(address: str = "127.0.0.1", user: str = "") -> Iterator[Webhook]:
    """Serve one until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(500 if hook.refusing else 200)
            self.end_headers()
            if not hook.refusing:
                hook.heard.append(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with serving(Handler, address=address) as server:
        hook = Webhook(f"json://{user}{address}:{server.server_port}")
        yield hook
