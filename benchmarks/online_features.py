"""A prediction by key: one request to `seaway serve-features`, beside a request to Feast's own server and then one of
the whole row to the endpoint.

The same online store (SQLite), endpoint and caller; one request at a time, in turns.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, String
from seaway.model_server.ports import LOOPBACK
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.serving import Client, DeployedEndpoint, EndpointSpec

from benchmarks import Row, main
from benchmarks.serving_model import CATEGORIES, NUMBERS, make_package

KEYS, ASKED, TURNS = 10_000, 300, 3
FEATURES = [f"number_{place}" for place in range(NUMBERS)]
OWN = {name: ["0"] for name in CATEGORIES}  # inputs that the caller knows
PROGRAMS = Path(sys.executable).parent


def measure() -> list[Row]:
    """Milliseconds of a prediction by either way."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["SEAWAY_HOME"] = str(folder / "home")
        store = _store(folder / "store")
        endpoint = stack.enter_context(_endpoint(folder))
        ours = Client(stack.enter_context(_seaway(store)), endpoint.token())
        theirs = _Feast(stack.enter_context(_feast(store)), Client(endpoint.url, endpoint.token()))
        ways: dict[str, Callable[[str], Any]] = {
            "ours": lambda key: ours.infer("like", {"customer": [key], **OWN}),
            "theirs": theirs.predict,
        }
        assert ways["ours"]("c7")["probability"].tolist() == ways["theirs"]("c7")["probability"].tolist()
        times = {name: list[float]() for name in ways}
        for _ in range(TURNS):
            for name, way in ways.items():
                times[name] += _milliseconds(way)
    return [
        Row(f"by key, {label}", *(float(np.percentile(times[name], percent)) for name in ways), "ms", "<= 1x", "lower",
            f"{TURNS * ASKED} requests of {KEYS:,} keys; beside Feast's server and the endpoint in turn")
        for label, percent in (("median", 50), ("p99", 99))
    ]  # fmt: skip


def _store(folder: Path) -> Path:
    folder.mkdir()
    online = "online_store: {type: sqlite, path: online.db}\nentity_key_serialization_version: 3\n"
    (folder / "feature_store.yaml").write_text(f"project: like\nprovider: local\nregistry: registry.db\n{online}")
    numbers = np.random.default_rng(0).normal(size=(KEYS, NUMBERS)).astype(np.float32)
    rows = pd.DataFrame(numbers, columns=FEATURES).assign(
        customer=[f"c{number}" for number in range(KEYS)], at=datetime.now(UTC)
    )
    rows.to_parquet(folder / "rows.parquet")
    customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.STRING)
    fields = [Field(name="customer", dtype=String), *(Field(name=name, dtype=Float32) for name in FEATURES)]
    source = FileSource(path="rows.parquet", timestamp_field="at")
    view = FeatureView(name="numbers", entities=[customer], schema=fields, source=source)
    store = FeatureStore(repo_path=str(folder))
    store.apply([customer, view, FeatureService(name="all", features=[view])])
    store.write_to_online_store("numbers", rows)
    return folder


@contextmanager
def _endpoint(folder: Path) -> Iterator[DeployedEndpoint]:
    package = make_package(folder / "model", folder / "home")
    try:
        yield LocalEndpoint().deploy(EndpointSpec("like", "benchmark", package))
    finally:
        LocalEndpoint().remove("like", "benchmark")


@contextmanager
def _seaway(store: Path) -> Iterator[str]:
    """URL of ours."""
    command = [str(PROGRAMS / "seaway"), "serve-features", "like", str(store), "--deadline-ms", "10000"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with _running(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield re.findall(r"http://[\d.:]+", process.stdout.readline())[0]


@contextmanager
def _feast(store: Path) -> Iterator[int]:
    """Port of Feast's."""
    port = 16566
    command = [str(PROGRAMS / "feast"), "-c", str(store), "serve", "-h", LOOPBACK, "-p", str(port), "--no-access-log"]
    with _running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        while not _answers(port):
            time.sleep(0.1)
        yield port


@contextmanager
def _running(command: list[str], **settings: Any) -> Iterator[Any]:
    process = subprocess.Popen(command, **settings)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection(LOOPBACK, port)
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False


class _Feast:
    """A caller that asks Feast's server, then the endpoint."""

    def __init__(self, port: int, endpoint: Client) -> None:
        self._connection, self._endpoint = http.client.HTTPConnection(LOOPBACK, port), endpoint

    def predict(self, key: str) -> Mapping[str, Any]:
        asked = json.dumps({"feature_service": "all", "entities": {"customer": [key]}})
        self._connection.request("POST", "/get-online-features", asked, {"content-type": "application/json"})
        answer = json.loads(self._connection.getresponse().read())
        names = answer["metadata"]["feature_names"]
        values = {name: one["values"] for name, one in zip(names, answer["results"], strict=True)}
        return self._endpoint.infer("like", {**OWN, **{name: values[name] for name in FEATURES}})


def _milliseconds(way: Callable[[str], Any]) -> list[float]:
    found = []
    for number in range(ASKED):
        start = time.perf_counter()
        way(f"c{number * 31 % KEYS}")
        found.append(1000 * (time.perf_counter() - start))
    return found


if __name__ == "__main__":
    main(measure)
