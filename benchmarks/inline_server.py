"""The uvicorn server with batches in its event loop: what a thread for them costs and gains."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from seaway.entrypoint import run
from seaway.model_server.uvicorn import batcher
from seaway.model_server.uvicorn.program import main


class Here(Executor):
    """Does at once what it is given, in the thread that gives it."""

    def __init__(self, *_: object, **__: object) -> None:
        """As a thread pool is made."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> "Future[Any]":
        done = Future[Any]()
        done.set_result(work(*arguments, **named))
        return done


if __name__ == "__main__":
    batcher.ThreadPoolExecutor = Here  # type: ignore[misc, assignment]
    run(main)
