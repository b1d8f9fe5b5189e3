"""The server's process: waits for its model's folder, loads it in each worker, then listens."""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import uvicorn

from seaway.entrypoint import run
from seaway.errors import EndpointFailed
from seaway.model_server.handler import OpenInferenceHandler
from seaway.model_server.startup import POLL_S, VERSION_FILE
from seaway.model_server.uvicorn.application import Application, Asgi
from seaway.model_server.uvicorn.batcher import Batcher, Worker
from seaway.model_server.uvicorn.metrics import Metrics
from seaway.model_server.uvicorn.server import KEY_FILE, Settings

IDLE_S = 2 * 60 * 60  # longer than Envoy keeps a connection that nobody uses, so that Envoy is who closes it
ENDING_S = 4  # for requests that are being answered, below the grace that servers have after SIGTERM


@dataclass(frozen=True)
class Loaded:
    """A model that answers: its name, its metadata in the protocol's words, who takes calls, and what that counts."""

    model: str
    metadata: Mapping[str, Any]
    batcher: Batcher
    metrics: Metrics


def serve(folder: Path, around: Callable[[Loaded, Asgi], Asgi]) -> None:
    """Serve the model of a folder until SIGTERM, by what `around` makes of it and its application.

    Raises:
        EndpointFailed: nobody has laid the folder out in time.
        DataUnreadable, InvalidSpec: it is no model's.
    """
    settings = Settings.read(folder)
    _wait_for(folder / VERSION_FILE, settings.patience_s)
    loaded, key = load(folder, settings), (folder / KEY_FILE).read_text(encoding="utf-8")
    uvicorn.run(
        around(loaded, Application(loaded.model, key, loaded.batcher, loaded.metrics)),
        uds=settings.socket,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=ENDING_S,
    )


def load(folder: Path, settings: Settings) -> Loaded:
    """The model of a folder, a copy for each worker. Raises: DataUnreadable, InvalidSpec: it is no model's."""
    workers = [Worker(partial(_handler, folder, settings.model, gpu)) for gpu in _accelerators(settings)]
    metrics = Metrics()
    batcher = Batcher(workers, settings.batch_size, metrics.batch)
    return Loaded(settings.model, workers[0].handler.metadata(), batcher, metrics)


def _wait_for(file: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not file.exists():
        if time.monotonic() > deadline:
            raise EndpointFailed(f"{file.parent} was not laid out within {patience_s:g} s; its deployment has ended.")
        time.sleep(POLL_S)


def _accelerators(settings: Settings) -> list[int | None]:
    """The accelerator of each worker, in turns; None for the processor."""
    gpus = min(settings.gpus, torch.cuda.device_count())
    return [worker % gpus if gpus else None for worker in range(settings.workers)]


def _handler(folder: Path, model: str, gpu: int | None) -> OpenInferenceHandler:
    handler = OpenInferenceHandler()
    handler.initialize(SimpleNamespace(model_name=model, system_properties={"model_dir": str(folder), "gpu_id": gpu}))
    return handler


def plain(_loaded: Loaded, application: Asgi) -> Asgi:
    """Nothing but the model's own application."""
    return application


def main(around: Callable[[Loaded, Asgi], Asgi] = plain) -> None:
    """Serve the folder that the first argument names."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # a signal by itself skips what is to be done at exit
    serve(Path(sys.argv[1]), around)


if __name__ == "__main__":
    run(main)
