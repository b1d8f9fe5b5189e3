"""A request on its way through the server, and a batch of them as the handler sees it."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

JSON = "application/json"
OK = 200


@dataclass(slots=True)
class Call:
    """A request, and its answer once `done`."""

    headers: Mapping[bytes, bytes]
    done: asyncio.Future[None]
    body: bytes = b""
    arrived: float = field(default_factory=time.monotonic)  # seconds
    status: int = OK
    content_type: str = JSON
    told: list[tuple[bytes, bytes]] = field(default_factory=list)  # further headers of the answer
    answer: bytes = b""

    def refuse(self, status: int, told: str) -> None:
        """Answer with an error, as JSON."""
        self.status, self.content_type, self.answer = status, JSON, json.dumps({"error": told}).encode()


class Batch:
    """What a handler is told of each request by its place, and tells of its answer: TorchServe's context of a batch."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls

    def get_request_header(self, index: int, name: str) -> str | None:
        value = self._calls[index].headers.get(name.encode())
        return None if value is None else value.decode("latin-1")

    def set_response_content_type(self, index: int, value: str) -> None:
        self._calls[index].content_type = value

    def set_response_status(self, code: int, idx: int) -> None:
        self._calls[idx].status = code

    def set_response_header(self, index: int, key: str, value: str) -> None:
        self._calls[index].told.append((key.encode(), value.encode("latin-1")))
