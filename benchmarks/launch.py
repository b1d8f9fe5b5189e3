"""How soon a step ends after its job did, and what a thousand waits cost the API server.

Needs `KUBECONFIG`; the thousand jobs need kwok, which plays their nodes. Everything is made in a namespace of its own.
"""

import logging
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import launch
from seaway.platforms.kubernetes.jobs.wait import Patience

from benchmarks import Row, main

REPEATS, WAITS = 20, 1000
NODES, PODS_A_NODE = 10, 200
FAKE = {"type": "kwok"}  # label of the nodes that kwok plays, and their taint
NOBODY = "seaway.dev/benchmark"  # a controller that no cluster has: the benchmark plays it
PATIENT = Patience(operator_s=3600)
STAGES = Path(__file__).with_name("kwok.yaml")
KINDS = ("jobs", "pods", "events")
GAUGE = "apiserver_longrunning_requests"
log = logging.getLogger(__name__)


def measure() -> list[Row]:
    """Seconds from the end of a job to the end of the wait for it; open watches at the API server."""
    if not os.environ.get("KUBECONFIG"):
        log.warning("launch: KUBECONFIG is not set, nothing is measured.")
        return []
    logging.getLogger("seaway").setLevel(logging.ERROR)  # a thousand pods have much to tell
    with _namespace() as connection:
        rows = _reactions(connection)
        if shutil.which("kwok"):
            rows += _thousand(connection)
        else:
            log.warning("launch: kwok is not on the PATH, the thousand waits are not measured.")
    return rows


def _reactions(connection: Connection) -> list[Row]:
    ours = [_ours(connection, number) for number in range(REPEATS)]
    kubectl = [_kubectl(connection, number) for number in range(REPEATS)]
    note = f"worst of {REPEATS}: {max(ours):.3f} s; from before the status is written; other: kubectl wait"
    return [Row("status written to step end", median(ours), median(kubectl), "s", "ours <= 0.2 s", "lower", note)]


def _ours(connection: Connection, number: int) -> float:
    manifest = _manifest(f"ours-{number}", managedBy=NOBODY)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(launch, batch_job.KIND, manifest, timeout_s=60, patience=PATIENT, connection=connection)
        _await_creation(connection, manifest)
        time.sleep(0.5)  # for the watch to be there, as it is in any job that takes a while
        began = _complete(connection, manifest)
        waiting.result()
        return time.perf_counter() - began


def _kubectl(connection: Connection, number: int) -> float:
    manifest = _manifest(f"theirs-{number}", managedBy=NOBODY)
    Objects(connection).create(batch_job.KIND.resource, manifest)
    target = ["job", manifest["metadata"]["name"], "-n", connection.namespace]
    waiting = subprocess.Popen(["kubectl", "wait", "--for=condition=Complete", *target], stdout=subprocess.DEVNULL)
    time.sleep(1)
    began = _complete(connection, manifest)
    waiting.wait(60)
    return time.perf_counter() - began


def _thousand(connection: Connection) -> list[Row]:
    manifests = [_manifest(f"wait-{number}", **_on_fake_nodes()) for number in range(WAITS)]
    with _fake_nodes(connection), ThreadPoolExecutor(WAITS) as pool:
        cpu, began = time.process_time(), time.perf_counter()
        waits = [
            pool.submit(
                launch,
                batch_job.KIND,
                manifest,
                timeout_s=1200,
                patience=PATIENT,
                connection=connection,
                tell=_silently,
            )
            for manifest in manifests
        ]
        open_watches, connections = _watch_server(connection, waits)
        for finished in waits:
            finished.result()
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(f"{WAITS} jobs by kwok took {took:.0f} s, {cpu:.0f} s of processor for all waits", file=sys.stderr)
    note = (
        f"of jobs, pods and events each, by the API server's count; other: one a wait; the process has at most "
        f"{connections} connections open, and needs {cpu / WAITS * 1000:.0f} ms of processor a wait"
    )
    return [Row(f"watches a kind, {WAITS:,} waits", open_watches, WAITS, "watches", "1", "lower", note)]


def _watch_server(connection: Connection, waits: Sequence[Any]) -> tuple[int, int]:
    """Watches of the kind that has most of them, and the most connections that this process has open.

    The server counts everybody's watches of a namespace's objects; the least count is the one without others.
    """
    least, connections = dict.fromkeys(KINDS, WAITS), 0
    while wait(waits, timeout=5).not_done:
        now = _watches(connection)
        least = {kind: min(count, now.get(kind, WAITS)) for kind, count in least.items()}
        connections = max(connections, len(psutil.Process().net_connections("tcp")))
    return max(least.values()), connections


def _watches(connection: Connection) -> dict[str, int]:
    """Open watches of a namespace's objects, as the API server counts them."""
    counts: dict[str, int] = {}
    for line in connection.request("GET", "/metrics", {}).decode().splitlines():
        if line.startswith(GAUGE) and 'scope="namespace"' in line and 'verb="WATCH"' in line:
            resource = re.findall(r'resource="([^"]+)"', line)[0]
            counts[resource] = counts.get(resource, 0) + int(float(line.split()[-1]))
    return counts


def _manifest(run: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "docker.io/seaway/none:v1"}]
    pod = {"restartPolicy": "Never", "containers": containers, **spec.pop("pod", {})}
    body = {"backoffLimit": 0, **spec, "template": {"spec": pod}}
    return stamp({"apiVersion": "batch/v1", "kind": "Job", "spec": body}, Step(run, "bench"), batch_job.KIND.suffix)


def _on_fake_nodes() -> dict[str, Any]:
    return {"pod": {"nodeSelector": FAKE, "tolerations": [{"operator": "Exists"}]}}


def _await_creation(connection: Connection, manifest: dict[str, Any]) -> None:
    while Objects(connection).get(batch_job.KIND.resource, manifest["metadata"]["name"]) is None:
        time.sleep(0.02)


def _complete(connection: Connection, manifest: dict[str, Any]) -> float:
    """Write the status that ends a job; returns when it was about to be written."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": now, "lastProbeTime": now, "reason": "Benchmark"}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    status = {"status": {"startTime": now, "completionTime": now, "conditions": conditions}}
    began = time.perf_counter()
    client.BatchV1Api(connection.requests).patch_namespaced_job_status(
        manifest["metadata"]["name"], connection.namespace, status
    )
    return began


def _silently(pod: str, line: str) -> None:
    """Pods of kwok have no logs."""


@contextmanager
def _namespace() -> Iterator[Connection]:
    connection = replace(connect(), namespace=f"seaway-bench-{secrets.token_hex(4)}")
    core = client.CoreV1Api(connection.requests)
    core.create_namespace({"metadata": {"name": connection.namespace}})
    try:
        yield connection
    finally:
        core.delete_namespace(connection.namespace)


@contextmanager
def _fake_nodes(connection: Connection) -> Iterator[None]:
    core = client.CoreV1Api(connection.requests)
    names = [f"{connection.namespace}-{number}" for number in range(NODES)]
    kubeconfig, selector = f"--kubeconfig={os.environ['KUBECONFIG']}", "--manage-nodes-with-label-selector=type=kwok"
    command = ["kwok", kubeconfig, selector, f"--config={STAGES}", "--node-lease-duration-seconds=40"]
    kwok = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for name in names:
            core.create_node(_node(name))
        yield
    finally:
        for name in names:
            core.delete_node(name)
        kwok.terminate()
        kwok.wait()


def _node(name: str) -> dict[str, Any]:
    room = {"cpu": "64", "memory": "256Gi", "pods": str(PODS_A_NODE)}
    return {
        "metadata": {"name": name, "labels": {**FAKE, "kubernetes.io/hostname": name}},
        "spec": {"taints": [{"key": "type", "value": "kwok", "effect": "NoSchedule"}]},
        "status": {"allocatable": room, "capacity": room},
    }


if __name__ == "__main__":
    main(measure)
