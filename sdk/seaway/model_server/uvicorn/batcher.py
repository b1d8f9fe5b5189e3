"""Batches without waiting: what arrives while a worker computes is its next batch.

An idle worker takes a request at once, so a batch costs nothing at low load, and the larger the load the larger the
batches, up to their limit (as in Clipper, Crankshaw et al. 2017, with the delay left out).
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from seaway.model_server.envoy.config import REQUEST_TIMEOUT_S
from seaway.model_server.handler import OpenInferenceHandler
from seaway.model_server.uvicorn.calls import Batch, Call

MOST_WAITING = 1000  # beyond it a request is refused at once
FAILED, TOO_LATE = 500, 504
LATE = f"The request waited for more than {REQUEST_TIMEOUT_S} s; send fewer at a time."
BROKEN = "The server failed on this batch of requests; its log says how."
log = logging.getLogger(__name__)


class Worker:
    """A handler and the thread that it lives in: torch keeps settings by thread."""

    def __init__(self, made: Callable[[], OpenInferenceHandler]) -> None:
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self.handler = self.thread.submit(made).result()

    def answer(self, calls: Sequence[Call]) -> None:
        """Answer the calls in place; whatever happens, each gets an answer."""
        try:
            answers = self.handler.handle([{"body": call.body} for call in calls], Batch(calls))
        except Exception:  # the handler answers for each request's own errors, so this one is the server's
            log.exception("a batch of %d requests failed", len(calls))
            for call in calls:
                call.refuse(FAILED, BROKEN)
            return
        for call, answer in zip(calls, answers, strict=True):
            call.answer = answer if isinstance(answer, bytes) else answer.encode()


class Batcher:
    """Hands what waits to idle workers, `most` requests at a time, in the order of their arrival.

    Args:
        observe: told of each batch that was answered and how many seconds it took.
    """

    def __init__(self, workers: Sequence[Worker], most: int, observe: Callable[[Sequence[Call], float], None]) -> None:
        self._idle, self._most, self._observe = list(workers), most, observe
        self._waiting: deque[Call] = deque()

    @property
    def full(self) -> bool:
        """Whether no further request can wait."""
        return len(self._waiting) >= MOST_WAITING

    def submit(self, call: Call) -> None:
        """Have the call answered; its `done` is set then."""
        self._waiting.append(call)
        if self._idle:  # after all that this turn of the loop reads, so that they go together
            asyncio.get_running_loop().call_soon(self._begin, self._idle.pop())

    def _begin(self, worker: Worker) -> None:
        if not (calls := self._taken()):
            self._idle.append(worker)
            return
        worker.thread.submit(self._work, worker, calls, time.monotonic(), asyncio.get_running_loop())

    def _work(self, worker: Worker, calls: Sequence[Call], started: float, loop: asyncio.AbstractEventLoop) -> None:
        """In the worker's thread; one word to the loop, where `run_in_executor` has two futures tell each other."""
        worker.answer(calls)
        loop.call_soon_threadsafe(self._end, worker, calls, started)

    def _taken(self) -> list[Call]:
        """The next batch, without calls that nobody waits for any more."""
        calls: list[Call] = []
        while self._waiting and len(calls) < self._most:
            call = self._waiting.popleft()
            if call.done.cancelled():
                continue
            if time.monotonic() - call.arrived > REQUEST_TIMEOUT_S:
                call.refuse(TOO_LATE, LATE)
                call.done.set_result(None)
            else:
                calls.append(call)
        return calls

    def _end(self, worker: Worker, calls: Sequence[Call], started: float) -> None:
        for call in calls:
            if not call.done.cancelled():
                call.done.set_result(None)
        self._begin(worker)
        self._observe(calls, started)
