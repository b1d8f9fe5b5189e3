"""An endpoint by each model server, beside a handler as TorchServe's documentation writes them, LitServe and FastAPI.

Same machine, same package. Each endpoint has its own Envoy; LitServe and FastAPI have none, and are asked for their own
form of the row. The documented handler is TorchServe's default: one request at a time. `inline` is the uvicorn server
whose batches run in its event loop and not in a thread. Load, in turns: one row a request over kept-alive connections,
16 in flight, then one by one (closed loops, so their tail is a bound from below); then an open loop at a third of the
server's own maximum: requests are due at even times whatever became of those before, and a latency counts from when its
request was due, so that a pause is felt by all that it held up (no coordinated omission). Memory is that of an arm's
processes; cold is from the start of the deployment until the sample is answered, scripts and bytecode being there.

`python -m benchmarks.serving --readme` writes the table into README.md as well; it takes about six minutes on 2 cores.
"""

import asyncio
import contextlib
import json
import os
import selectors
import signal
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
from seaway.model_server import own_packages, processes
from seaway.model_server.kserve.server import KServeServer
from seaway.model_server.mlserver.server import MLServerServer
from seaway.model_server.port import ModelServer
from seaway.model_server.torchserve.server import TorchServe
from seaway.model_server.uvicorn.server import UvicornServer
from seaway.models import ExportedModel
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import DeployedEndpoint, EndpointSpec

from benchmarks import Row, machine, show
from benchmarks.serving_model import make_package

CONNECTIONS = 16
REQUESTS = 1000  # a turn
ALONE = 200  # of them one by one
WARM_UP = 300
TURNS = 5
OPEN_S, SHARE = 3.0, 3  # of an open loop in each turn, at 1 / SHARE of the rate of the closed one
README, BEGIN, END = Path(__file__).parents[1] / "README.md", "<!-- servers -->", "<!-- /servers -->"
TURN_TIMEOUT_S = 60
NAME = "flights"
DOCUMENTED = "documented handler"


class Inline(UvicornServer):
    """Its batches run in the event loop."""

    program = "benchmarks.inline_server"

    def environment(self, kept: Path) -> dict[str, str]:
        """See `UvicornServer`: the process runs elsewhere, and finds this folder."""
        return {"PYTHONPATH": str(README.parent)}


SERVERS: dict[str, tuple[ModelServer, dict[str, int]]] = {
    "uvicorn": (UvicornServer(), {}),
    "inline": (Inline(), {}),
    "kserve": (KServeServer(), {}),
    "mlserver": (MLServerServer(), {}),
    "torchserve": (TorchServe(), {}),
    DOCUMENTED: (
        TorchServe(Path(__file__).with_name("eager_handler.py")),
        {"batch_size": 1, "max_batch_delay_ms": 0},
    ),
}
PORTS = {"bare FastAPI": 18431, "LitServe": 18432}  # on loopback
PROGRAMS = {"bare FastAPI": "benchmarks.bare_fastapi", "LitServe": "benchmarks.lit_server"}


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
    open_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.latencies_ms) / self.seconds

    @property
    def p99(self) -> float:
        return float(np.percentile(self.latencies_ms, 99))

    @property
    def median_alone(self) -> float:
        return float(np.median(self.alone_ms))

    @property
    def open_p99(self) -> float:
        return float(np.percentile(self.open_ms, 99))


def measure() -> list[Row]:
    """Serve the same package in all ways and load them in turns."""
    with tempfile.TemporaryDirectory() as folder, _home(Path(folder) / "home") as home:
        package = make_package(Path(folder) / "model", home)
        with contextlib.ExitStack() as stack:
            loads = {name: stack.enter_context(_endpoint(name, package)) for name in SERVERS}
            for name in PROGRAMS:
                loads[name] = stack.enter_context(_program(name, package, home))
            _in_turns(list(loads.values()))
        if "--readme" in sys.argv:
            _write_readme(loads, _alone_in_a_loop(package))
        return [*_rows(loads), *_beside_the_model(loads["uvicorn"], _alone_in_a_loop(package))]


def _rows(loads: dict[str, Load]) -> list[Row]:
    theirs = loads[DOCUMENTED]
    note = f"{CONNECTIONS} in flight, {len(theirs.latencies_ms)} requests each; beside the {DOCUMENTED}"
    rows = []
    for name in (name for name in loads if name != DOCUMENTED):
        ours, goals = loads[name], (">= 5x", "<= 0.3x") if name == "uvicorn" else ("", "")
        rows += [
            Row(f"{name}, requests", ours.rate, theirs.rate, "1/s", goals[0], "higher", note),
            Row(f"{name}, p99 latency", ours.p99, theirs.p99, "ms", goals[1], "lower", note),
            Row(
                f"{name}, p99 open loop", ours.open_p99, theirs.open_p99, "ms", "", "lower", "at a third of its maximum"
            ),
            Row(f"{name}, median alone", ours.median_alone, theirs.median_alone, "ms", "", "lower", "one by one"),
            Row(f"{name}, memory", ours.memory_mb, theirs.memory_mb, "MB", "", "lower", "resident, of an arm"),
            Row(f"{name}, cold start", ours.cold_s, theirs.cold_s, "s", "", "lower", "once"),
        ]
    return rows


def _beside_the_model(ours: Load, alone_ms: list[float]) -> list[Row]:
    """What a request costs beside the model in a loop of this process: encoding and the exported graph."""
    median, p99 = float(np.median(alone_ms)), float(np.percentile(alone_ms, 99))
    note = "beside the exported model in a loop"
    return [
        Row("uvicorn, median alone", ours.median_alone, median, "ms", "", "lower", note),
        Row(
            "uvicorn, p99 open loop",
            ours.open_p99,
            2 * p99 + 2,
            "ms",
            "<= 1x",
            "lower",
            "beside twice its p99 and 2 ms",
        ),
    ]


def _alone_in_a_loop(package: Path) -> list[float]:
    """Milliseconds of the model's answers to a row, one after another."""
    torch.set_num_threads(1)
    model = ExportedModel.load(package)
    row = {name: values[:1] for name, values in model.signature.sample.items()}
    times = []
    for _ in range(ALONE):
        start = time.perf_counter()
        model.predict(row)
        times.append((time.perf_counter() - start) * 1000)
    return times


def _write_readme(loads: dict[str, Load], alone_ms: list[float]) -> None:
    """The table between its marks; all else of the page stays."""
    heads = ("server", "requests/s, 16 in flight", "p99, ms", "p99 of an open loop, ms", "median alone, ms",
             "memory, MB", "cold, s")  # fmt: skip
    rows = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for name, load in loads.items():
        rows.append(
            f"| {name} | {load.rate:,.0f} | {load.p99:.1f} | {load.open_p99:.1f} | {load.median_alone:.2f} "
            f"| {load.memory_mb:.0f} | {load.cold_s:.1f} |"
        )
    median, p99 = np.median(alone_ms), np.percentile(alone_ms, 99)
    rows.append(f"| the exported model in a loop | {1000 / median:,.0f} | {p99:.1f} | | {median:.2f} | | |")
    page = README.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(rows)
    README.write_text(f"{before}{BEGIN}\n{table}\n\n{machine()}.\n{END}{after}", encoding="utf-8")


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
    return _resident(leader.pid)


@contextlib.contextmanager
def _program(name: str, package: Path, home: Path) -> Iterator[Load]:
    """A server without Envoy, which is asked for one value an input."""
    command = [sys.executable, "-m", PROGRAMS[name], str(package), str(PORTS[name])]
    listed = Path(__file__).parent / f"{PROGRAMS[name].partition('.')[2]}" / "requirements.txt"
    own = own_packages.environment(listed, home / "cache") if listed.exists() else {}
    start = time.perf_counter()
    with subprocess.Popen(command, env={**os.environ, **own}, start_new_session=True) as process:
        try:
            load = Load(("127.0.0.1", PORTS[name]), _post("/predict", _row(package), {}))
            asyncio.run(_until_it_answers(load))
            load.cold_s = time.perf_counter() - start
            load.memory_mb = _resident(process.pid)
            yield load
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _resident(pid: int) -> float:
    """Megabytes of a process and all that it started."""
    process = psutil.Process(pid)
    return float(sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))) / 1e6


async def _until_it_answers(load: Load) -> None:
    async with asyncio.timeout(TURN_TIMEOUT_S):
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
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
            with asyncio.Runner(loop_factory=_punctual) as runner:
                runner.run(_open_loop(load, load.rate / SHARE))


def _punctual() -> asyncio.AbstractEventLoop:
    """epoll waits for whole milliseconds, so that what is due would be sent up to one late; select does not."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


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


async def _open_loop(load: Load, rate: float) -> None:
    """Requests due at even times, `rate` a second, each by whichever connection is free; latencies from when due."""
    due: asyncio.Queue[float] = asyncio.Queue()
    async with asyncio.timeout(TURN_TIMEOUT_S):
        workers = [asyncio.create_task(_whenever_due(load, due)) for _ in range(CONNECTIONS * SHARE)]
        await asyncio.sleep(0.2)  # for their connections
        start = time.perf_counter()
        for place in range(int(OPEN_S * rate)):
            moment = start + place / rate
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            due.put_nowait(moment)
        await due.join()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _whenever_due(load: Load, due: "asyncio.Queue[float]") -> None:
    reader, writer = await asyncio.open_connection(*load.address)
    try:
        while True:
            moment = await due.get()
            await _ask(reader, writer, load.request)
            load.open_ms.append((time.perf_counter() - moment) * 1000)
            due.task_done()
    finally:
        writer.close()


async def _connection(load: Load, count: int, latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection(*load.address)
    for _ in range(count):
        start = time.perf_counter()
        await _ask(reader, writer, load.request)
        latencies.append((time.perf_counter() - start) * 1000)
    writer.close()
    await writer.wait_closed()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))


if __name__ == "__main__":
    show(measure())
