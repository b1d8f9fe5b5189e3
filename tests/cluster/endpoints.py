"""What tests of endpoints in a cluster share: a namespace, signed packages, settings of small pods, load from a pod."""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client, dynamic
from object_store_pod import BUCKET, RESTRICTED, SECRET, StoreInCluster

sys.path.append(str(Path(__file__).parents[1] / "local"))
from small_package import SIGNATURE

ENFORCE = "pod-security.kubernetes.io/enforce"
STARTUP_S = 300.0  # of a JVM and torch on a machine where others work
LOADER = "loader"
# Asks until its standard input ends, then says how many answers each version gave, and every failure.
LOAD = """
import collections, json, sys, threading, time
from seaway.errors import EndpointFailed
from seaway.serving import Client
url, token, model, inputs = json.loads(sys.stdin.readline())
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
threads = [threading.Thread(target=ask) for _ in range(4)]
[thread.start() for thread in threads]
print("asking", flush=True)
sys.stdin.read()
ended.set()
[thread.join() for thread in threads]
print(json.dumps({"versions": versions, "failures": failures}), flush=True)
"""


@contextmanager
def namespace(cluster: dynamic.DynamicClient) -> Iterator[str]:
    """One that enforces Pod Security `restricted`."""
    name = f"seaway-endpoint-{secrets.token_hex(4)}"
    core = client.CoreV1Api(cluster.client)
    core.create_namespace({"metadata": {"name": name, "labels": {ENFORCE: "restricted"}}})
    try:
        yield name
    finally:
        core.delete_namespace(name)


def environment(store: StoreInCluster, home: Path) -> dict[str, str]:
    """What a user exports once."""
    return {**store.environment, "SEAWAY_STORAGE": f"s3://{BUCKET}/seaway", "SEAWAY_HOME": str(home)}


def hosting(image: str, store: StoreInCluster, **settings: Any) -> dict[str, Any]:
    """Small pods."""
    small = {"cpu": "100m", "memory": "1500Mi", "scratch": "1Gi", "replicas": 1, "drain_s": 10}
    return {"image": image, **small, "env": {"AWS_ENDPOINT_URL": store.inside}, "env_secrets": [SECRET], **settings}


def start_loader(cluster: dynamic.DynamicClient, namespace: str, image: str) -> None:
    """A pod that requests are sent from, so that they go the way of the cluster's own."""
    container = {
        "name": LOADER,
        "image": image,
        "command": ["sleep", "infinity"],
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
    }
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    pod = {"metadata": {"name": LOADER}, "spec": spec}
    client.CoreV1Api(cluster.client).create_namespaced_pod(namespace, pod)
    command = ["kubectl", "wait", "-n", namespace, f"pod/{LOADER}", "--for=condition=Ready", "--timeout=120s"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@dataclass
class Load:
    """What came of the requests that were sent while it went on."""

    versions: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@contextmanager
def load(namespace: str, url: str, token: str, model: str) -> Iterator[Load]:
    """Requests by four kept-alive connections, about 40 a second, until the block ends."""
    command = ["kubectl", "exec", "-i", "-n", namespace, LOADER, "--", "python", "-c", LOAD]
    result = Load()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps([url, token, model, SIGNATURE.sample]) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "asking\n"
        try:
            yield result
        finally:
            process.stdin.close()
            said = json.loads(process.stdout.read())
            result.versions, result.failures = said["versions"], said["failures"]


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
