"""Server-sent events: a part of a page anew when what it shows has changed, and lines of a log as they come."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

LOOK_S = 0.4  # between two looks at the files


@dataclass(frozen=True)
class Watched:
    """A part of a page.

    Attributes:
        stamp: tells cheaply whether anything is new, by a value that then differs.
        render: the part's HTML.
        over: whether nothing will come any more; asked before `render`, so that the last change is not missed.
    """

    stamp: Callable[[], Hashable]
    render: Callable[[], str]
    over: Callable[[], bool] = lambda: False


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """An answer that goes on until the events end, or the reader leaves."""
    return StreamingResponse(events, media_type="text/event-stream")


async def changes(watched: Watched) -> AsyncIterator[str]:
    """The whole part at first and after each change, then `end`."""
    seen: Hashable = object()
    while True:
        over = await run_in_threadpool(watched.over)
        stamp = await run_in_threadpool(watched.stamp)
        if stamp != seen:
            seen = stamp
            yield event("whole", await run_in_threadpool(watched.render))
        if over:
            yield event("end", "")
            return
        await asyncio.sleep(LOOK_S)


async def growth(read: Callable[[int], tuple[str, int]], offset: int, over: Callable[[], bool]) -> AsyncIterator[str]:
    """What is added to a text from an offset on; `read` gives what is there and the next offset."""
    while True:
        ended = await run_in_threadpool(over)
        text, offset = await run_in_threadpool(read, offset)
        if text:
            yield event("more", text)
        if ended and not text:
            yield event("end", "")
            return
        await asyncio.sleep(0 if text else LOOK_S)


def event(kind: str, value: str) -> str:
    """One event, its value as JSON, which has no line ends."""
    return f"event: {kind}\ndata: {json.dumps(value)}\n\n"
