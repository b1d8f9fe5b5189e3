"""An endpoint by each model server, beside a handler as TorchServe's documentation writes them and a bare FastAPI.

Same machine, same package. Each endpoint has its own Envoy; FastAPI has none, and is asked for its own form of the row.
The documented handler is TorchServe's default: one request at a time. Load: one row a request over kept-alive
connections, 16 in flight and then one by one, in turns; a closed loop, so what it tells of the tail is a bound from
below (coordinated omission). Memory is that of an arm's processes; cold is from the start of the deployment until the
sample is answered, scripts and bytecode being there.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psutil
import torch
from seaway.model_server import processes
from seaway.model_server.port import ModelServer
from seaway.model_server.torchserve.server import TorchServe
from seaway.model_server.uvicorn.server import UvicornServer
from seaway.models import ExportedModel
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import DeployedEndpoint, EndpointSpec

from benchmarks import Row, main
from benchmarks.serving_model import make_package

CONNECTIONS = 16
REQUESTS = 1000  # a turn
ALONE = 200  # of them one by one
WARM_UP = 300
TURNS = 5
TURN_TIMEOUT_S = 60
NAME = "flights"
DOCUMENTED = "documented handler"
SERVERS: dict[str, tuple[ModelServer, dict[str, int]]] = {
    "uvicorn": (UvicornServer(), {}),
    "torchserve": (TorchServe(), {}),
    DOCUMENTED: (
        TorchServe(Path(__file__).with_name("eager_handler.py")),
        {"batch_size": 1, "max_batch_delay_ms": 0},
    ),
}
PORT = 18431  # of FastAPI, on loopback


@dataclass
class Load:
    """What was measured of one server, over all turns."""

    address: tuple[str, int]
    request: bytes
    cold_s: float = float("nan")
    memory_mb: float = float("nan")
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    alone_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies_ms) / self.seconds

    @property
    def p99(self) -> float:
        return float(np.percentile(self.latencies_ms, 99))

    @property
    def median_alone(self) -> float:
        return float(np.median(self.alone_ms))


def measure() -> list[Row]:
    """Serve the same package in all ways and load them in turns."""
    with tempfile.TemporaryDirectory() as folder, _home(Path(folder) / "home") as home:
        package = make_package(Path(folder) / "model", home)
        with contextlib.ExitStack() as stack:
            loads = {name: stack.enter_context(_endpoint(name, package)) for name in SERVERS}
            loads["bare FastAPI"] = stack.enter_context(_fastapi(package))
            _in_turns(list(loads.values()))
        return [*_rows(loads), _beside_the_model(loads["uvicorn"], package)]


def _rows(loads: dict[str, Load]) -> list[Row]:
    theirs = loads[DOCUMENTED]
    note = f"{CONNECTIONS} in flight, {len(theirs.latencies_ms)} requests each; beside the {DOCUMENTED}"
    rows = []
    for name in (name for name in loads if name != DOCUMENTED):
        ours, goals = loads[name], (">= 5x", "<= 0.3x") if name == "uvicorn" else ("", "")
        rows += [
            Row(f"{name}, requests", ours.rate, theirs.rate, "1/s", goals[0], "higher", note),
            Row(f"{name}, p99 latency", ours.p99, theirs.p99, "ms", goals[1], "lower", note),
            Row(f"{name}, median alone", ours.median_alone, theirs.median_alone, "ms", "", "lower", "one by one"),
            Row(f"{name}, memory", ours.memory_mb, theirs.memory_mb, "MB", "", "lower", "resident, of an arm"),
            Row(f"{name}, cold start", ours.cold_s, theirs.cold_s, "s", "", "lower", "once"),
        ]
    return rows


def _beside_the_model(ours: Load, package: Path) -> Row:
    """What a request alone costs beside the model in a loop of this process: encoding and the exported graph."""
    torch.set_num_threads(1)
    model = ExportedModel.load(package)
    row = {name: values[:1] for name, values in model.signature.sample.items()}
    times = []
    for _ in range(ALONE):
        start = time.perf_counter()
        model.predict(row)
        times.append((time.perf_counter() - start) * 1000)
    return Row("uvicorn, median alone", ours.median_alone, float(np.median(times)), "ms", "", "lower",
               "beside the exported model in a loop")  # fmt: skip


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[Path]:
    before = os.environ.get("SEAWAY_HOME")
    os.environ["SEAWAY_HOME"] = str(folder)
    try:
        yield folder
    finally:
        os.environ.pop("SEAWAY_HOME") if before is None else os.environ.update(SEAWAY_HOME=before)


@contextlib.contextmanager
def _endpoint(name: str, package: Path) -> Iterator[Load]:
    server, settings = SERVERS[name]
    endpoints, run = LocalEndpoint(server), name.replace(" ", "-")
    endpoints.deploy(EndpointSpec(NAME, run, package, **settings))  # the first makes what is kept
    endpoints.remove(NAME, run)
    try:
        start = time.perf_counter()
        deployed = endpoints.deploy(EndpointSpec(NAME, run, package, **settings))
        cold = time.perf_counter() - start
        address = urlsplit(deployed.url)
        yield Load(
            (str(address.hostname), int(address.port or 0)), _request(deployed, package), cold, _memory(deployed)
        )
    finally:
        endpoints.remove(NAME, run)


def _memory(endpoint: DeployedEndpoint) -> float:
    """Megabytes of the arm's server and all that it started."""
    (leader,) = [one for one in processes.find(endpoint.folder) if one.name == endpoint.arms["stable"].cluster]
    process = psutil.Process(leader.pid)
    return sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) / 1e6


@contextlib.contextmanager
def _fastapi(package: Path) -> Iterator[Load]:
    command = [sys.executable, "-m", "benchmarks.bare_fastapi", str(package), str(PORT)]
    start = time.perf_counter()
    with subprocess.Popen(command) as process:
        try:
            load = Load(("127.0.0.1", PORT), _post("/predict", _row(package), {}))
            asyncio.run(_until_it_answers(load))
            load.cold_s = time.perf_counter() - start
            load.memory_mb = psutil.Process(process.pid).memory_info().rss / 1e6
            yield load
        finally:
            process.terminate()


async def _until_it_answers(load: Load) -> None:
    async with asyncio.timeout(TURN_TIMEOUT_S):
        while True:
            with contextlib.suppress(OSError):
                await _connection(load, 1, [])
                return
            await asyncio.sleep(0.05)


def _in_turns(loads: list[Load]) -> None:
    for load in loads:
        asyncio.run(_turn(load, WARM_UP, CONNECTIONS, []))
    for _ in range(TURNS):
        for load in loads:
            start = time.perf_counter()
            asyncio.run(_turn(load, REQUESTS, CONNECTIONS, load.latencies_ms))
            load.seconds += time.perf_counter() - start
            asyncio.run(_turn(load, ALONE, 1, load.alone_ms))


def _row(package: Path) -> object:
    sample = json.loads((package / "signature.json").read_text(encoding="utf-8"))["sample"]
    return {name: values[0][0] for name, values in sample.items()}


def _request(endpoint: DeployedEndpoint, package: Path) -> bytes:
    signature = json.loads((package / "signature.json").read_text(encoding="utf-8"))
    inputs = [
        {"name": spec["name"], "datatype": spec["datatype"], "shape": [1, *spec["shape"][1:]],
         "data": signature["sample"][spec["name"]][0]}
        for spec in signature["inputs"]
    ]  # fmt: skip
    return _post(f"/v2/models/{NAME}/infer", {"inputs": inputs}, {"authorization": f"Bearer {endpoint.token()}"})


def _post(path: str, content: object, headers: dict[str, str]) -> bytes:
    body = json.dumps(content)
    told = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n{body}".encode()


async def _turn(load: Load, count: int, connections: int, latencies: list[float]) -> None:
    async with asyncio.timeout(TURN_TIMEOUT_S):
        await asyncio.gather(*(_connection(load, count // connections, latencies) for _ in range(connections)))


async def _connection(load: Load, count: int, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection(*load.address)
    for _ in range(count):
        start = time.perf_counter()
        writer.write(load.request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        latencies.append((time.perf_counter() - start) * 1000)
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    main(measure)
