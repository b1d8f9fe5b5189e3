"""An S3 server in the cluster, for pods and, through a forwarded port, for this machine."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tarfile import TarFile

import urllib3
from kubernetes import client
from minio import Minio

import images

NAME, PORT, BUCKET, SECRET = "seaweedfs", 8333, "seaway", "seaway-storage"
READY_S = "120s"
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


@dataclass(frozen=True)
class StoreInCluster:
    """The same server as pods see it and as this machine does; its keys are in the Secret `SECRET`."""

    inside: str
    outside: str
    keys: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """For a step on this machine."""
        return {**self.keys, "AWS_ENDPOINT_URL": self.outside}


def image() -> str:
    """SeaweedFS: the program of the wheel in an image of its own, else that of its project."""
    if "SEAWAY_CLUSTER_TOOL" not in os.environ:
        return os.environ.get("SEAWAY_TEST_S3_IMAGE", "docker.io/chrislusf/seaweedfs:4.48")
    program = Path(sys.executable).parent / "weed"
    layer = images._layer("weed", images._file_key(program), _write(program))
    return images._imported("docker.io/seaway/seaweedfs", [layer])


def _write(program: Path) -> Callable[[TarFile], None]:
    return lambda tar: tar.add(program, "usr/bin/weed", filter=images._root)


@contextmanager
def object_store(api: client.ApiClient, namespace: str) -> Iterator[StoreInCluster]:
    """Run it, with one bucket; it ends with its namespace."""
    keys = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
    core = client.CoreV1Api(api)
    core.create_namespaced_secret(namespace, {"metadata": {"name": SECRET}, "stringData": keys})
    core.create_namespaced_pod(namespace, _pod(image()))
    core.create_namespaced_service(
        namespace,
        {"metadata": {"name": NAME}, "spec": {"selector": {"app": NAME}, "ports": [{"port": PORT}]}},
    )
    kubectl = ["kubectl", "--namespace", namespace]
    subprocess.run(
        [*kubectl, "wait", f"pod/{NAME}", "--for=condition=Ready", f"--timeout={READY_S}"], check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with _forwarded(kubectl) as port:
        store = StoreInCluster(f"http://{NAME}.{namespace}:{PORT}", f"http://127.0.0.1:{port}", keys)
        pool = urllib3.PoolManager(retries=urllib3.Retry(10, backoff_factor=0.5, status_forcelist=(500, 503)))
        Minio(
            f"127.0.0.1:{port}", *keys.values(), secure=False, region="us-east-1", http_client=pool
        ).make_bucket(BUCKET)  # fmt: skip
        yield store


@contextmanager
def _forwarded(kubectl: list[str]) -> Iterator[int]:
    command = [*kubectl, "port-forward", f"pod/{NAME}", f":{PORT}", "--address=127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r"127\.0\.0\.1:(\d+)", line)
            assert found, f"kubectl port-forward said {line!r}"
            yield int(found[1])
        finally:
            process.terminate()


def _pod(image: str) -> dict[str, object]:
    arguments = [
        "server", "-dir=/data", "-ip=localhost", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.port={PORT}",
        "-s3.ip.bind=0.0.0.0", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false",
        "-master.volumeSizeLimitMB=256", "-volume.max=20", "-master.electionTimeout=1s",
    ]  # fmt: skip
    container = {
        "name": NAME,
        "image": image,
        "command": ["/usr/bin/weed", *arguments],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108
        "envFrom": [{"secretRef": {"name": SECRET}}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "data", "mountPath": "/tmp", "subPath": "tmp"},  # noqa: S108
        ],
    }
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}],
    }  # fmt: skip
    return {"metadata": {"name": NAME, "labels": {"app": NAME}}, "spec": spec}
