"""An endpoint's requests per second and p99 beside a handler as TorchServe's documentation writes them.

Same machine, same package, same TorchServe with the same JVM, logging and threads, each behind its own Envoy. They
differ in the handler and in its settings: TorchServe's default is one request at a time. Load: one row a request,
16 requests in flight over kept-alive connections, in turns.
"""

import asyncio
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from seaway.model_server.torchserve.server import TorchServe
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import DeployedEndpoint, EndpointSpec

from benchmarks import Row, main
from benchmarks.serving_model import make_package

CONNECTIONS = 16
REQUESTS = 1000  # a turn
WARM_UP = 300
TURNS = 5
TURN_TIMEOUT_S = 60
NAME = "flights"


@dataclass
class Load:
    """What was measured of one endpoint, over all turns."""

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies_ms) / self.seconds

    @property
    def p99(self) -> float:
        return float(np.percentile(self.latencies_ms, 99))


def measure() -> list[Row]:
    """Serve the same package both ways and load them in turns."""
    before = os.environ.get("SEAWAY_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEAWAY_HOME"] = str(Path(folder) / "home")
        try:
            ours, theirs = _both_loaded(make_package(Path(folder) / "model", Path(folder) / "home"))
        finally:
            os.environ.pop("SEAWAY_HOME") if before is None else os.environ.update(SEAWAY_HOME=before)
    note = f"{CONNECTIONS} in flight, {len(ours.latencies_ms)} requests each"
    return [
        Row("endpoint, requests", ours.rate, theirs.rate, "1/s", ">= 2x", "higher", note),
        Row("endpoint, p99 latency", ours.p99, theirs.p99, "ms", "<= 1x", "lower", note),
    ]


def _both_loaded(package: Path) -> tuple[Load, Load]:
    ours, theirs = LocalEndpoint(), LocalEndpoint(TorchServe(Path(__file__).with_name("eager_handler.py")))
    try:
        endpoints = (
            ours.deploy(EndpointSpec(NAME, "ours", package)),
            theirs.deploy(EndpointSpec(NAME, "theirs", package, batch_size=1, max_batch_delay_ms=0)),
        )
        return _in_turns(package, *endpoints)
    finally:
        for run in ("ours", "theirs"):
            ours.remove(NAME, run)


def _in_turns(package: Path, ours: DeployedEndpoint, theirs: DeployedEndpoint) -> tuple[Load, Load]:
    loads = (Load(), Load())
    requests = [_request(endpoint, package) for endpoint in (ours, theirs)]
    for endpoint, request in zip((ours, theirs), requests, strict=True):
        asyncio.run(_turn(endpoint, request, WARM_UP, Load()))
    for _ in range(TURNS):
        for endpoint, request, load in zip((ours, theirs), requests, loads, strict=True):
            asyncio.run(_turn(endpoint, request, REQUESTS, load))
    return loads


def _request(endpoint: DeployedEndpoint, package: Path) -> bytes:
    signature = json.loads((package / "signature.json").read_text(encoding="utf-8"))
    inputs = [
        {"name": spec["name"], "datatype": spec["datatype"], "shape": [1, *spec["shape"][1:]],
         "data": signature["sample"][spec["name"]][0]}
        for spec in signature["inputs"]
    ]  # fmt: skip
    body = json.dumps({"inputs": inputs})
    head = (
        f"POST /v2/models/{NAME}/infer HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {endpoint.token()}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


async def _turn(endpoint: DeployedEndpoint, request: bytes, count: int, load: Load) -> None:
    start = time.perf_counter()
    async with asyncio.timeout(TURN_TIMEOUT_S):
        await asyncio.gather(*(_connection(endpoint, request, count // CONNECTIONS, load) for _ in range(CONNECTIONS)))
    load.seconds += time.perf_counter() - start


async def _connection(endpoint: DeployedEndpoint, request: bytes, count: int, load: Load) -> None:
    address = urlsplit(endpoint.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for _ in range(count):
        start = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        load.latencies_ms.append((time.perf_counter() - start) * 1000)
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    main(measure)
