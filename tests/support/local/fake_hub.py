"""What Kubeflow's model registry was seen to answer, for machines that cannot have it: nobody publishes its program.

tests/local/models/test_hub.py asks the real one the same where it is on PATH.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from http_server import serving, url

PREFIX = "/api/model_registry/v1alpha3/"
KINDS = {"registered_models": "registered model", "versions": "model version", "artifacts": "artifact"}


@dataclass
class FakeHub:
    """Things by their paths; `refused` answers the next request whose path it matches by that status, once."""

    url: str = ""
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    token: str = ""

    def answer(self, method: str, path: str, body: Any, authorization: str) -> tuple[int, Any]:
        """Status and JSON."""
        if self.token and authorization != f"Bearer {self.token}":
            return 401, {"code": "Unauthorized", "message": "unauthorized"}
        if not path.startswith(PREFIX):
            return 404, "404 page not found"
        pattern = next((one for one in self.refused if re.search(one, f"{method} {path}")), None)
        if pattern:
            return self.refused.pop(pattern), {"code": "", "message": "told to refuse"}
        address = urlsplit(path.removeprefix(PREFIX))
        asked = dict(parse_qsl(address.query))
        if method == "GET":
            return self._find(address.path, asked) if "name" in asked else self._list(address.path, asked)
        return self._make(address.path, body) if method == "POST" else self._change(address.path, body)

    def _below(self, parent: str) -> list[dict[str, Any]]:
        return [thing for path, thing in self.things.items() if path.rpartition("/")[0] == parent]

    def _find(self, kind: str, asked: dict[str, str]) -> tuple[int, Any]:
        parent = f"registered_models/{asked['parentResourceId']}/versions" if kind == "model_version" else f"{kind}s"
        found = [thing for thing in self._below(parent) if thing["name"] == asked["name"]]
        return (200, found[0]) if found else (404, {"code": "Not Found", "message": f"no {kind} found: not found"})

    def _list(self, parent: str, asked: dict[str, str]) -> tuple[int, Any]:
        every, size = self._below(parent), int(asked.get("pageSize", "100"))
        first = int(asked.get("nextPageToken", "0"))
        following = str(first + size) if first + size < len(every) else ""
        page = every[first : first + size]
        return 200, {"items": page, "nextPageToken": following, "pageSize": size, "size": len(page)}

    def _make(self, parent: str, body: dict[str, Any]) -> tuple[int, Any]:
        if any(one["name"] == body["name"] for one in self._below(parent)):
            kind = KINDS[parent.rpartition("/")[2]]
            return 409, {"code": "Conflict", "message": f"{kind} with name {body['name']} already exists: conflict"}
        made = {"customProperties": {}, **body, "id": str(len(self.things) + 1)}
        self.things[f"{parent}/{made['id']}"] = made
        return 201, made

    def _change(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.things[path].update(body)
        return 200, self.things[path]


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """One that listens on loopback."""
    played = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, said = played.answer(
                self.command, self.path, json.loads(body) if body else None, self.headers.get("authorization", "")
            )
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            """Requests are not printed."""

    with serving(Handler) as server:
        played.url = url(server)
        yield played
