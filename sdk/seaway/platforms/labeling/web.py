"""The page of `seaway label`: one item after the other, answered by one key each.

Its server listens on loopback. What it serves without the token are the page's own three files, which hold no data.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from seaway.errors import InvalidSpec, PortTaken
from seaway.labeling import Item
from seaway.platforms.labeling.folder import PICTURE, PICTURES, Folder, require_annotator

HOST = "127.0.0.1"
PAGE: Mapping[str, tuple[str, str]] = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LONGEST = 1 << 16  # bytes of a request's body


@dataclass(frozen=True)
class Session:
    """One annotator's work on one queue; the order of items is that of its beginning, the fewest labels first.

    `suggest` shows what the model takes an item for; without it nobody is led.
    """

    folder: Folder
    annotator: str
    suggest: bool = False

    def __post_init__(self) -> None:
        require_annotator(self.annotator)

    @cached_property
    def items(self) -> list[Item]:
        """What the annotator has not labelled yet, and behind it what is."""
        answers = self.folder.answers().labels
        labels = Counter(label.key for label in answers)
        own = {label.key for label in answers if label.annotator == self.annotator}
        return sorted(self.folder.items(), key=lambda item: (item.key in own, labels[item.key]))

    def state(self) -> dict[str, Any]:
        """The question, and how far the annotator is."""
        own = self._own()
        first = next((place for place, item in enumerate(self.items) if item.key not in own), 0)
        question = self.folder.question().to_json()
        return {
            "question": question,
            "annotator": self.annotator,
            "items": len(self.items),
            "done": len(own),
            "first": first,
        }

    def item(self, place: int) -> dict[str, Any]:
        """What is shown of an item, and the annotator's own label. Raises: IndexError."""
        item = self.items[place]
        shown = [{"name": name, **_shown(item.data.get(name))} for name in self.folder.question().shown]
        suggested = item.prediction if self.suggest else ""
        return {"key": item.key, "shown": shown, "label": self._own().get(item.key, ""), "suggested": suggested}

    def label(self, place: int, value: str, seconds: float | None) -> dict[str, Any]:
        """Keep an answer. Raises: IndexError, InvalidSpec: it is no class."""
        classes = self.folder.question().classes
        if value and value not in classes:
            raise InvalidSpec(f"{value!r} is none of {', '.join(classes)}.")
        self.folder.label(self.annotator, self.items[place].key, value, seconds)
        return {"done": len(self._own())}

    def picture(self, name: str) -> bytes:
        """Raises: IndexError: no item has it."""
        if not any(_shown(value).get(PICTURE) == name for item in self.items for value in item.data.values()):
            raise IndexError(name)
        return (self.folder.path / PICTURES / name).read_bytes()

    def _own(self) -> dict[str, str]:
        keys = {item.key for item in self.items}
        answers = self.folder.answers().labels
        return {one.key: one.value for one in answers if one.annotator == self.annotator and one.key in keys}


def _shown(value: Any) -> dict[str, Any]:
    """A picture by its file's name, or a value."""
    return dict(value) if isinstance(value, dict) and PICTURE in value else {"value": value}


def server(session: Session, port: int = 0) -> tuple[ThreadingHTTPServer, str]:
    """A server that is not serving yet, and the address that a browser opens, with the token behind its `#`.

    Raises:
        PortTaken: the port is in use.
        LabelsUnavailable: there is no queue.
    """
    session.state()
    token = secrets.token_urlsafe(24)
    handler = type("Handler", (_Handler,), {"session": session, "token": token})
    try:
        made = ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        raise PortTaken(f"Port {port} of {HOST} cannot be had ({error.strerror}); give another by --port.") from error
    return made, f"http://{HOST}:{made.server_port}/#{token}"


class _Handler(BaseHTTPRequestHandler):
    session: ClassVar[Session]
    token: ClassVar[str]
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "seaway", ""

    def do_GET(self) -> None:
        """The page, or what it asks for."""
        path = urlsplit(self.path).path
        if path in PAGE:
            name, kind = PAGE[path]
            self._send(HTTPStatus.OK, files("seaway.platforms.labeling").joinpath("page", name).read_bytes(), kind)
        else:
            self._answer({"/api/state": self._state, "/api/item": self._item, "/api/picture": self._picture}.get(path))

    def do_POST(self) -> None:
        """A label."""
        self._answer(self._label if self.path == "/api/label" else None)

    def _state(self) -> Any:
        return self.session.state()

    def _item(self) -> Any:
        return self.session.item(int(self._asked("at")))

    def _picture(self) -> bytes:
        return self.session.picture(self._asked("name"))

    def _label(self) -> Any:
        body = json.loads(self.rfile.read(min(int(self.headers.get("content-length") or 0), LONGEST)))
        seconds = body.get("seconds")
        return self.session.label(int(body["at"]), str(body["label"]), None if seconds is None else float(seconds))

    def _asked(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query)[name][0]

    def _answer(self, work: Callable[[], Any] | None) -> None:
        """Do it for who has the token, and say in JSON what came of it."""
        given = self.headers.get("authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            self._refuse(HTTPStatus.UNAUTHORIZED, "The token is missing or of another start; open the printed address.")
        elif work is None:
            self._refuse(HTTPStatus.NOT_FOUND, "There is nothing of that name.")
        else:
            self._try(work)

    def _try(self, work: Callable[[], Any]) -> None:
        try:
            found = work()
        except IndexError:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such item.")
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # InvalidSpec is a ValueError
            self._refuse(HTTPStatus.BAD_REQUEST, str(error) or repr(error))
        except Exception as error:  # noqa: BLE001 - the queue was broken meanwhile, or its disk is full: the page tells it
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        else:
            picture = isinstance(found, bytes)
            content = found if picture else json.dumps(found).encode()
            self._send(HTTPStatus.OK, content, "application/octet-stream" if picture else "application/json")

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True  # a body may not have been read
        self._send(status, json.dumps({"error": why}).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        told = {"content-type": kind, "content-length": str(len(content)), "content-security-policy": POLICY}
        safe = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
        for name, value in (told | safe).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: labels are people's work, not a log's."""
