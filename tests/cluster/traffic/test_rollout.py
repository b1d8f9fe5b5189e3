"""Rollouts of tiny models through a real gateway: counted by Prometheus, and driven on after a kill."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import edge
import numpy as np
import pandas as pd
import pytest
import rollout_step
import tiny_model
from kubernetes import client, dynamic
from prometheus_server import prometheus
from rollout_step import STEPS, roll_out
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.http import fetch
from seaway.platforms.kubernetes.metrics.prometheus import PrometheusMetrics
from seaway.platforms.kubernetes.traffic import gateway as proof
from seaway.platforms.kubernetes.traffic.istio import IstioTraffic
from seaway.rollout import Decision
from seaway.serving import DeployedEndpoint

ROWS = 4_000
CANDIDATES = {"good": {"bias": 0.0}, "failing": {"failing": 0.3}}
PATIENCE_S = 120


@pytest.fixture(scope="module")
def connection(cluster: dynamic.DynamicClient) -> Iterator[Connection]:
    """A stable model that is a bit off, and candidates beside it."""
    with edge.behind_istio(cluster) as connection:
        name = connection.namespace
        apps = client.AppsV1Api(connection.requests)
        for version, settings in CANDIDATES.items():
            apps.create_namespaced_deployment(name, tiny_model.deployment(version, **settings))
        arms = {"stable": {"version": "stable", "bias": 0.4}}
        tiny_model.start(connection.requests, name, arms)
        client.CoreV1Api(connection.requests).create_namespaced_service(name, tiny_model.service("candidate", "good"))
        edge.await_ready(connection)
        yield connection


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A row every five minutes, its label known two hours later, drawn by the good model."""
    random, file = np.random.default_rng(7), tmp_path_factory.mktemp("replay") / "replay.parquet"
    x = random.normal(scale=2.0, size=ROWS)
    events = pd.Timestamp("2013-12-01", tz="UTC") + pd.to_timedelta(5 * np.arange(ROWS), unit="min")
    label = random.uniform(size=ROWS) < 1 / (1 + np.exp(-x))
    known = events + pd.Timedelta(hours=2)
    frame = pd.DataFrame({"event_timestamp": events, "label_timestamp": known, "x": x, "label": label.astype("int8")})
    frame.to_parquet(file)
    return file


def prepared(connection: Connection, examples: Path, folder: Path, candidate: str) -> DeployedEndpoint:
    """What a rollout of this candidate needs, in `folder`; returns once the gateway knows its pod."""
    endpoint = edge.endpoint(connection.namespace, folder, {"stable": "stable", "candidate": candidate})
    endpoint = replace(endpoint, run=folder.name)
    endpoint.write()
    (folder / "replay.parquet").symlink_to(examples)
    settings = {
        "namespace": connection.namespace,
        "gateway": f"{connection.namespace}/edge",
        "admin": edge.ADMIN,
        "stats": edge.STATS,
    }
    (folder / "plan.json").write_text(json.dumps(settings))
    point(connection, endpoint, candidate)
    return endpoint


def point(connection: Connection, endpoint: DeployedEndpoint, version: str) -> None:
    """Let the candidate's Service select this version, and wait until its answers come."""
    service = tiny_model.service("candidate", version)
    client.CoreV1Api(connection.requests).patch_namespaced_service(
        service["metadata"]["name"], connection.namespace, {"spec": service["spec"]}
    )
    IstioTraffic(connection, edge.gateway(connection.namespace), "").set_weights(endpoint, {"stable": 100})
    deadline, asked = time.monotonic() + PATIENCE_S, {"host": endpoint.host, "x-seaway-arm": "candidate"}
    url = f"{endpoint.url}/v2/models/{edge.NAME}"
    while fetch(url, 30.0, {**asked, "connection": "close"}).headers.get("x-seaway-version") != version:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def split(connection: Connection, endpoint: DeployedEndpoint) -> dict[str, int]:
    return edge.gateway(connection.namespace).split(endpoint, connection.namespace, "seaway-weights")


def test_a_good_candidate_is_promoted_by_what_prometheus_counts_at_the_gateway(
    connection: Connection, examples: Path, tmp_path: Path
) -> None:
    endpoint = prepared(connection, examples, tmp_path, "good")
    with prometheus(edge.ADMIN.removeprefix("http://"), tmp_path) as url:
        rollout = roll_out(tmp_path, metrics=PrometheusMetrics(connection.namespace, url))
    assert rollout.decision is Decision.PROMOTE, rollout.reason
    assert [step.weight for step in STEPS] == sorted({tick["weights"]["candidate"] for tick in rollout.ticks})
    assert split(connection, endpoint) == {"stable": 0, "candidate": 100}


def started(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, rollout_step.__file__, str(folder)])


def await_weight(
    connection: Connection, endpoint: DeployedEndpoint, weight: int, step: "subprocess.Popen[bytes]"
) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while split(connection, endpoint)["candidate"] != weight:
        assert step.poll() is None, "the rollout ended before this step"
        assert time.monotonic() < deadline
        time.sleep(proof.POLL_S)


def test_a_killed_rollout_goes_back_where_its_candidate_has_failed_meanwhile(
    connection: Connection, examples: Path, tmp_path: Path
) -> None:
    endpoint = prepared(connection, examples, tmp_path, "good")
    with started(tmp_path) as step:
        try:
            await_weight(connection, endpoint, 50, step)
        finally:
            step.kill()
    service = tiny_model.service("candidate", "failing")
    client.CoreV1Api(connection.requests).patch_namespaced_service(
        service["metadata"]["name"], connection.namespace, {"spec": service["spec"]}
    )
    rollout = roll_out(tmp_path)
    assert rollout.decision is Decision.ROLLBACK, rollout.reason
    assert split(connection, endpoint) == {"stable": 100, "candidate": 0}
