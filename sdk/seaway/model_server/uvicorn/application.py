"""The ASGI application: inference requests on one path, counters on another. Envoy before it knows all others."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from seaway.model_server.envoy.config import MARK, infer_path
from seaway.model_server.uvicorn.batcher import Batcher
from seaway.model_server.uvicorn.calls import OK, Call
from seaway.model_server.uvicorn.metrics import Metrics
from seaway.serving.protocol import binary
from seaway.serving.protocol.request import LARGEST_MESSAGE

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]
METRICS, METRICS_TYPE = "/metrics", "text/plain; version=0.0.4"
UNAUTHORIZED, NOT_FOUND, NOT_ALLOWED, TOO_LARGE, BUSY = 401, 404, 405, 413, 503
READING = ("GET", "HEAD")
READ = (b"authorization", b"content-type", MARK.encode(), binary.HEADER.encode())  # headers that mean something here


class Refusal(Exception):
    """A request that no model sees."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status = status


class Gone(Exception):
    """The caller hung up before its request was whole."""


class Application:
    """Answers for one model, to whoever has the key."""

    def __init__(self, model: str, key: str, batcher: Batcher, metrics: Metrics) -> None:
        self._path, self._key = infer_path(model), f"Bearer {key}".encode()
        self._batcher, self._metrics = batcher, metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == METRICS:
            await _send(send, OK, METRICS_TYPE, self._metrics.text())
            return
        headers = {name: value for name, value in scope["headers"] if name in READ}
        call = Call(headers, asyncio.get_running_loop().create_future())
        try:
            await self._answer(call, scope, receive)
        except Refusal as error:
            call.refuse(error.status, str(error))
        except Gone:
            return
        self._metrics.answered(call.status)
        await _send(send, call.status, call.content_type, call.answer, *call.told)

    async def _answer(self, call: Call, scope: Message, receive: Receive) -> None:
        if not hmac.compare_digest(call.headers.get(b"authorization", b""), self._key):
            raise Refusal(UNAUTHORIZED, "The server's key is missing or wrong.")
        if scope["path"] != self._path:
            raise Refusal(NOT_FOUND, f"No such path; this server answers {self._path}.")
        call.body = await _body(receive)
        if self._batcher.full:
            raise Refusal(BUSY, "Too many requests wait; send fewer at a time, or have more replicas.")
        self._batcher.submit(call)
        await call.done


def guarded(application: Asgi, model: str) -> Asgi:
    """Another server's application, which is asked for inference at the path of `Application`, and else only to tell:
    what changes a server, or asks the model by another path, is refused."""

    async def answer(scope: Message, receive: Receive, send: Send) -> None:
        if scope["method"] in READING or scope["path"] == infer_path(model):
            await application(scope, receive, send)
        else:
            call = Call({}, asyncio.get_running_loop().create_future())
            call.refuse(NOT_ALLOWED, f"This server answers {infer_path(model)}, and what tells of it.")
            await _send(send, call.status, call.content_type, call.answer)

    return answer


async def _body(receive: Receive) -> bytes:
    """The whole body. Raises: Refusal: it is too large. Gone."""
    parts, size, more = list[bytes](), 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_MESSAGE:
            raise Refusal(TOO_LARGE, f"The request has more than {LARGEST_MESSAGE} bytes; send fewer rows.")
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(send: Send, status: int, content_type: str, answer: bytes, *told: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(answer)).encode()), *told]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
