"""Faults as they are written, and what they do to requests."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from aiohttp import ClientSession, ServerDisconnectedError, UnixConnector, web
from seaway.errors import InvalidSpec
from seaway.model_server.fault_proxy import serve
from seaway.model_server.faults import Fault

INFER = "http://server/v2/models/m/infer"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("errors=5%@candidate", Fault("errors", 0.05, "candidate")),
        ("drops=0.5%@stable", Fault("drops", 0.005, "stable")),
        ("answers=100%@candidate", Fault("answers", 1.0, "candidate")),
        ("latency=50ms@candidate", Fault("latency", 1.0, "candidate", 50.0)),
        ("latency=500ms:3%@candidate", Fault("latency", 0.03, "candidate", 500.0)),
    ],
)
def test_faults_are_read(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    "text",
    [
        *("", "errors", "errors=5%", "errors=5@candidate", "errors=0%@stable", "errors=101%@stable"),
        *("errors=50ms@stable", "latency=5%@candidate", "latency=@stable", "smoke=5%@stable", "errors=5%@canary"),
    ],
)
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpec, match="is no fault"):
        Fault.parse(text)


@asynccontextmanager
async def proxied(*faults: Fault) -> AsyncIterator[ClientSession]:
    """A client of a server that answers what it is sent, behind the proxy."""

    async def echo(request: web.Request) -> web.Response:
        return web.Response(
            body=await request.read(), status=201, headers={"x-seen": request.headers.get("x-mine", "")}
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    with tempfile.TemporaryDirectory() as folder:
        front, behind = Path(folder) / "front", Path(folder) / "behind"
        await web.UnixSite(runner, str(behind)).start()
        proxy = asyncio.create_task(serve(str(front), str(behind), [asdict(fault) for fault in faults]))
        while not front.exists():
            await asyncio.sleep(0.01)
        async with ClientSession(connector=UnixConnector(str(front))) as client:
            yield client
        proxy.cancel()
        await asyncio.gather(proxy, return_exceptions=True)
        await runner.cleanup()


def asked(*faults: Fault, calls: Callable[[ClientSession], Awaitable[object]]) -> object:
    async def ask() -> object:
        async with proxied(*faults) as client:
            return await calls(client)

    return asyncio.run(ask())


async def several(client: ClientSession) -> list[tuple[int, str]]:
    answers = []
    for body in ("one", "two", "three"):
        async with client.post(INFER, data=body) as answer:
            answers.append((answer.status, await answer.text()))
    return answers


def test_without_faults_all_is_passed_on() -> None:
    async def call(client: ClientSession) -> tuple[int, str, str]:
        async with client.post(INFER, data="body", headers={"x-mine": "seen"}) as answer:
            return answer.status, await answer.text(), answer.headers["x-seen"]

    assert asked(calls=call) == (201, "body", "seen")


def test_errors_are_answered_by_500() -> None:
    answers = asked(Fault("errors", 1.0, "candidate"), calls=several)
    assert [status for status, _ in answers] == [500, 500, 500]  # type: ignore[attr-defined]


def test_wrong_answers_are_those_of_the_request_before() -> None:
    assert asked(Fault("answers", 1.0, "candidate"), calls=several) == [(201, "one"), (201, "one"), (201, "two")]


def test_drops_are_cut_without_an_answer() -> None:
    with pytest.raises(ServerDisconnectedError):
        asked(Fault("drops", 1.0, "candidate"), calls=several)


def test_latency_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    asleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    asked(Fault("latency", 1.0, "candidate", 250.0), calls=several)
    assert slept.count(0.25) == 3


def test_faults_concern_inference_only() -> None:
    async def ready(client: ClientSession) -> int:
        async with client.get("http://server/v2/models/m/ready") as answer:
            return answer.status

    assert asked(Fault("errors", 1.0, "candidate"), Fault("drops", 1.0, "candidate"), calls=ready) == 201
