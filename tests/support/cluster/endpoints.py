"""What tests of endpoints in a cluster share: a namespace, signed packages, settings of small pods, load from a pod."""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from object_store_pod import BUCKET, RESTRICTED, SECRET, StoreInCluster
from seaway.errors import EndpointFailed
from seaway.models.package import content_sha256
from seaway.serving import Client, DeployedEndpoint, GrpcClient
from small_package import SIGNATURE

STARTUP_S = 300.0  # of a JVM and torch on a machine where others work
LOADER, STOP = "loader", "/tmp/stop"  # noqa: S108  # a volume of its pod
ASKING, CHECKER = "asking", "checker"
# What a pod asks begins with the first answer: a node's proxy learns of a new Service a second after the API server.
ANSWERED = """
import json, os, time
from seaway.errors import EndpointFailed
from seaway.serving import Client
def await_answer(url, token, model):
    while True:
        try:
            with Client(url, token) as client:
                return client.metadata(model)
        except EndpointFailed:
            time.sleep(0.1)
"""
# Asks until there is a file STOP, then says how many answers each version gave, and every failure.
LOAD = (
    ANSWERED
    + """
import collections, threading
url, token, model, inputs, stop = json.loads(os.environ["SETTINGS"])
ended, versions, failures = threading.Event(), collections.Counter(), []
def ask():
    with Client(url, token) as client:
        while not ended.is_set():
            try:
                client.infer(model, inputs)
                versions[client.metadata(model)["versions"][0]] += 1
            except EndpointFailed as error:
                failures.append(f"{time.time():.3f} {error}")
            time.sleep(0.05)
await_answer(url, token, model)
threads = [threading.Thread(target=ask) for _ in range(4)]
[thread.start() for thread in threads]
print("asking", flush=True)
while not os.path.exists(stop):
    time.sleep(0.1)
ended.set()
[thread.join() for thread in threads]
print(json.dumps({"versions": versions, "failures": failures}), flush=True)
"""
)


# `seaway conformance`, the token in a file as it wants it.
CHECK = (
    ANSWERED
    + """
import sys
from pathlib import Path
from seaway.cli import main
url, model, token = json.loads(os.environ["SETTINGS"])
await_answer(url, token, model)
Path("/tmp/token").write_text(token)
sys.argv = ["seaway", "conformance", url, model, "--token", "/tmp/token", "--output", "json"]
main()
"""
)


def environment(store: StoreInCluster, home: Path) -> dict[str, str]:
    """What a user exports once."""
    return {**store.environment, "SEAWAY_STORAGE": f"s3://{BUCKET}/seaway", "SEAWAY_HOME": str(home)}


def hosting(image: str, store: StoreInCluster, **settings: Any) -> dict[str, Any]:
    """Small pods."""
    small = {"cpu": "100m", "memory": "1500Mi", "scratch": "1Gi", "replicas": 1, "drain_s": 10}
    return {"image": image, **small, "env": {"AWS_ENDPOINT_URL": store.inside}, "env_secrets": [SECRET], **settings}


@dataclass
class Load:
    """What came of the requests that were sent while it went on."""

    versions: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@contextmanager
def load(namespace: str, image: str, url: str, token: str, model: str) -> Iterator[Load]:
    """Requests from a pod by four kept-alive connections, until the block ends."""
    settings = json.dumps([url, token, model, SIGNATURE.sample, STOP])
    kubectl = ["kubectl", "--namespace", namespace]
    pod = json.dumps(_asking_pod(LOADER, image, LOAD, settings))
    subprocess.run([*kubectl, "create", "-f", "-"], input=pod, text=True, check=True, stdout=subprocess.DEVNULL)
    _await(lambda: ASKING in _said(kubectl, LOADER))
    result = Load()
    yield result
    subprocess.run([*kubectl, "exec", LOADER, "--", "touch", STOP], check=True)
    _await(lambda: len(_said(kubectl, LOADER).splitlines()) > 1)
    said = json.loads(_said(kubectl, LOADER).splitlines()[1])
    result.versions, result.failures = said["versions"], said["failures"]


def conformance(namespace: str, image: str, url: str, model: str, token: str) -> dict[str, str]:
    """What came of each check of the Open Inference Protocol, by `seaway conformance` in a pod of the runtime image.

    From a pod: `kubectl port-forward` closes a connection where its caller has only ended what it sends.
    """
    kubectl = ["kubectl", "--namespace", namespace]
    settings = json.dumps([url, model, token])
    pod = json.dumps(_asking_pod(CHECKER, image, CHECK, settings))
    subprocess.run([*kubectl, "create", "-f", "-"], input=pod, text=True, check=True, stdout=subprocess.DEVNULL)
    try:
        _await(lambda: _phase(kubectl, CHECKER) in ("Succeeded", "Failed"))
        said = _said(kubectl, CHECKER)
        assert "[\n" in said, said
        outcomes, _ = json.JSONDecoder().raw_decode(said[said.index("[\n") :])  # an error's sentence may stand behind
        return {one["check"]: f"{one['state']} {one['why']}".strip() for one in outcomes}
    finally:
        subprocess.run([*kubectl, "delete", "pod", CHECKER, "--wait"], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def asking(endpoint: DeployedEndpoint, connections: int = 4) -> Iterator[Load]:
    """Requests from this machine through the gateway by kept-alive connections, until the block ends."""
    result, ended = Load(), threading.Event()

    def ask() -> None:
        with Client(endpoint.url, endpoint.token(), host=endpoint.host) as client:
            while not ended.wait(0.05):
                try:
                    client.infer(endpoint.name, SIGNATURE.sample)
                    result.versions[client.version] = result.versions.get(client.version, 0) + 1
                except EndpointFailed as error:
                    result.failures.append(f"{time.time():.3f} {error}")

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield result
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def assert_agreed(rest: Client, grpc: GrpcClient, model: str, version: str) -> None:
    """Both protocols answer, alike, by the model of this version."""
    assert rest.metadata(model)["versions"] == grpc.metadata(model)["versions"] == [version]
    one, other = (client.infer(model, SIGNATURE.sample) for client in (rest, grpc))
    np.testing.assert_allclose(one["probability"], other["probability"], rtol=1e-5)  # batches of another size


def uri_of(name: str, package: Path) -> str:
    """Where the endpoint keeps this package."""
    return f"{os.environ['SEAWAY_STORAGE']}/endpoints/{name}/{content_sha256(package)[:12]}"


def _await(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STARTUP_S
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _said(kubectl: list[str], pod: str) -> str:
    return subprocess.run([*kubectl, "logs", pod], capture_output=True, text=True, check=False).stdout


def _phase(kubectl: list[str], pod: str) -> str:
    words = [*kubectl, "get", "pod", pod, "--output", "jsonpath={.status.phase}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _asking_pod(name: str, image: str, program: str, settings: str) -> dict[str, Any]:
    container = {
        "name": name,
        "image": image,
        "command": ["python", "-c", program],
        "env": [{"name": "SETTINGS", "value": settings}, {"name": "OMP_NUM_THREADS", "value": "1"}],
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108
    }
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }  # fmt: skip
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


@contextmanager
def forwarded(namespace: str, target: str, port: int = 80) -> Iterator[str]:
    """The URL of a port in the cluster on this machine."""
    command = ["kubectl", "port-forward", "-n", namespace, target, f":{port}", "--address=127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, f"kubectl port-forward said {line!r}"
            yield f"http://127.0.0.1:{found[1]}"
        finally:
            process.terminate()
