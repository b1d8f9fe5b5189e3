"""The uvicorn server's own parts: what goes together, what is refused, what is counted."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from seaway.model_server.uvicorn import batcher
from seaway.model_server.uvicorn.application import Application, guarded
from seaway.model_server.uvicorn.batcher import Batcher, Worker
from seaway.model_server.uvicorn.calls import Batch, Call
from seaway.model_server.uvicorn.metrics import Metrics
from seaway.serving.protocol.request import LARGEST_MESSAGE

PATH, KEY = "/v2/models/small/infer", "secret"


class Echo:
    """A handler that answers each request with itself, once it may; it keeps the batches that it got."""

    def __init__(self) -> None:
        self.batches, self.may = list[list[bytes]](), threading.Event()
        self.may.set()

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[str | bytes]:
        self.batches.append([request["body"] for request in data])
        self.may.wait()
        if any(request["body"] == b"break" for request in data):
            raise MemoryError
        for index, request in enumerate(data):
            if request["body"] == b"refuse":
                context.set_response_status(400, idx=index)
        return [request["body"] for request in data]


class Server:
    """An application on a handler, asked without a network."""

    def __init__(self, handler: Echo, most: int = 32) -> None:
        self.handler, self.metrics = handler, Metrics()
        self.worker = Worker(lambda: handler)  # type: ignore[arg-type,return-value]
        self.batcher = Batcher([self.worker], most, self.metrics.batch)
        self.application = Application("small", KEY, self.batcher, self.metrics)

    async def ask(self, *parts: bytes, path: str = PATH, key: str = KEY) -> tuple[int, bytes]:
        """Status and content of the answer to a request whose body comes in parts."""
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages[-1]["more_body"] = False
        told = dict[str, Any]()

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            told.update(message)

        headers = [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json")]
        await self.application({"type": "http", "path": path, "method": "POST", "headers": headers}, receive, send)
        return told["status"], told["body"]


@contextmanager
def serving(**settings: int) -> Iterator[Server]:
    server = Server(Echo(), **settings)
    yield server
    server.handler.may.set()
    server.worker.thread.shutdown()


def run(asked: Callable[[], Any]) -> Any:
    return asyncio.run(asked())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def test_what_arrives_while_a_batch_is_computed_is_the_next_one_up_to_the_limit() -> None:
    with serving(most=3) as server:

        async def asked() -> list[tuple[int, bytes]]:
            server.handler.may.clear()
            first = asyncio.ensure_future(server.ask(b"0"))
            await until(lambda: len(server.handler.batches) == 1)
            others = [asyncio.ensure_future(server.ask(str(number).encode())) for number in range(1, 6)]
            await until(lambda: len(server.batcher._waiting) == 5)
            server.handler.may.set()
            return await asyncio.gather(first, *others)

        assert run(asked) == [(200, str(number).encode()) for number in range(6)]
        assert server.handler.batches == [[b"0"], [b"1", b"2", b"3"], [b"4", b"5"]]


def test_an_idle_server_holds_a_request_back_for_no_other() -> None:
    with serving() as server:
        assert run(lambda: server.ask(b"a")) == (200, b"a")
        assert run(lambda: server.ask(b"b", b"c")) == (200, b"bc")
        assert server.handler.batches == [[b"a"], [b"bc"]]


def test_nobody_computes_for_who_has_gone_or_waited_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:

        async def asked() -> tuple[int, bytes]:
            server.handler.may.clear()
            first = asyncio.ensure_future(server.ask(b"first"))
            await until(lambda: len(server.handler.batches) == 1)
            gone, late = (asyncio.ensure_future(server.ask(body)) for body in (b"gone", b"late"))
            await until(lambda: len(server.batcher._waiting) == 2)
            gone.cancel()
            await until(gone.done)
            monkeypatch.setattr(batcher, "REQUEST_TIMEOUT_S", -1)
            server.handler.may.set()
            assert await first == (200, b"first")
            return await late

        status, content = run(asked)
        assert status == 504
        assert "waited" in json.loads(content)["error"]
        assert server.handler.batches == [[b"first"]]


def test_a_full_queue_refuses_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher, "MOST_WAITING", 2)
    with serving() as server:

        async def asked() -> tuple[int, bytes]:
            server.handler.may.clear()
            waiting = [asyncio.ensure_future(server.ask(b"w")) for _ in range(1)]
            await until(lambda: len(server.handler.batches) == 1)
            waiting += [asyncio.ensure_future(server.ask(b"w")) for _ in range(2)]
            await until(lambda: server.batcher.full)
            refused = await server.ask(b"more")
            server.handler.may.set()
            assert {status for status, _ in await asyncio.gather(*waiting)} == {200}
            return refused

        assert run(asked)[0] == 503


def test_a_server_that_fails_answers_the_whole_batch_and_goes_on() -> None:
    with serving() as server:
        status, content = run(lambda: server.ask(b"break"))
        assert (status, "log" in json.loads(content)["error"]) == (500, True)
        assert run(lambda: server.ask(b"a")) == (200, b"a")


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"key": "guess"}, 401),
        ({"key": ""}, 401),
        ({"path": "/v2/models/other/infer"}, 404),
        ({"path": "/v2"}, 404),
    ],
)
def test_who_has_no_key_and_what_is_not_here_reaches_no_model(asked: dict[str, str], status: int) -> None:
    with serving() as server:
        assert run(lambda: server.ask(b"a", **asked))[0] == status
        assert server.handler.batches == []


def test_a_body_beyond_the_limit_is_refused_before_it_is_whole() -> None:
    with serving() as server:
        half = b"x" * (LARGEST_MESSAGE // 2)
        assert run(lambda: server.ask(half, half)) == (200, half + half)
        assert run(lambda: server.ask(half, half, b"xx", b"more"))[0] == 413
        assert len(server.handler.batches) == 1


def test_answers_are_counted_by_status_and_waiting_by_request() -> None:
    with serving() as server:
        for body in (b"a", b"refuse", b"break", b"a"):
            run(lambda body=body: server.ask(body))  # type: ignore[misc]
        text = server.metrics.text().decode()
        for code, count in (("200", 2), ("400", 1), ("500", 1)):
            assert f'seaway_server_requests_total{{code="{code}"}} {count}.0' in text
        assert "seaway_server_queue_seconds_count 4.0" in text
        assert 'seaway_server_batch_requests_bucket{le="1.0"} 4.0' in text


def test_a_batch_is_told_of_each_request_by_its_place() -> None:
    loop = asyncio.new_event_loop()
    calls = [Call({b"content-type": kind}, loop.create_future(), arrived=time.monotonic()) for kind in (b"a", b"b")]
    batch = Batch(calls)
    assert [batch.get_request_header(index, "content-type") for index in (0, 1)] == ["a", "b"]
    assert batch.get_request_header(0, "x-seaway-request") is None
    batch.set_response_header(1, "x-grpc-status", "3")
    assert [call.told for call in calls] == [[], [(b"x-grpc-status", b"3")]]
    loop.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", PATH, 200), ("GET", "/v2/health/ready", 200), ("POST", "/v2/repository/models/small/unload", 405),
     ("POST", "/v1/models/small:predict", 405), ("DELETE", "/v2", 405)],
)  # fmt: skip
def test_of_another_servers_routes_only_those_that_tell_are_reached(method: str, path: str, status: int) -> None:
    statuses = list[int]()

    async def other(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Any) -> None:
        statuses.append(message.get("status", 0))

    run(lambda: guarded(other, "small")({"method": method, "path": path}, None, send))
    assert statuses[0] == status
