"""The shipped S3 server: it runs in a restricted namespace, and its keys are the Secret's."""

import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import object_store_pod
import pytest
import urllib3
import yaml
from kubernetes import client, dynamic
from seaway.platforms.s3.connection import connect
from seaway.platforms.s3.storage import S3Storage

MANIFESTS = Path(__file__).parents[3] / "manifests" / "storage"
READY_S = 120
SECRET = "seaway-storage"  # noqa: S105  # its name


def server(image: str) -> list[dict[str, Any]]:
    """The shipped objects, with this image, and data that end with the pod."""
    built = subprocess.run(["kubectl", "kustomize", str(MANIFESTS)], check=True, capture_output=True, text=True).stdout
    objects = list(yaml.safe_load_all(built))
    [stateful] = [item for item in objects if item["kind"] == "StatefulSet"]
    del stateful["spec"]["volumeClaimTemplates"]
    pod = stateful["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "data", "emptyDir": {}})
    pod["containers"][0] |= {"image": image, "command": ["/usr/bin/weed", "server"]}
    return objects


@contextmanager
def forwarded(namespace: str) -> Iterator[str]:
    command = ["kubectl", "-n", namespace, "port-forward", "service/seaweedfs", ":8333", "--address=127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline() if process.stdout else "")
            assert found
            yield f"http://{found[0]}"
        finally:
            process.terminate()


def test_who_has_the_secrets_keys_may_read_and_write_and_nobody_else(
    cluster: dynamic.DynamicClient, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not on PATH")
    keys = {"AWS_ACCESS_KEY_ID": "seaway", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(24)}
    secret = {"metadata": {"name": SECRET}, "stringData": keys}
    client.CoreV1Api(cluster.client).create_namespaced_secret(namespace, secret)
    kubectl = ["kubectl", "-n", namespace]
    text = yaml.safe_dump_all(server(object_store_pod.image()))
    subprocess.run([*kubectl, "apply", "-f", "-"], input=text, check=True, capture_output=True, text=True)
    subprocess.run([*kubectl, "rollout", "status", "statefulset/seaweedfs", f"--timeout={READY_S}s"], check=True)
    bucket = [*kubectl, "exec", "-i", "statefulset/seaweedfs", "--", "/usr/bin/weed", "shell", "-master=localhost:9333"]
    subprocess.run(bucket, input="s3.bucket.create -name seaway\n", check=True, capture_output=True, text=True)
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "model").write_bytes(secrets.token_bytes(1000))
    with forwarded(namespace) as endpoint:
        assert urllib3.request("GET", f"{endpoint}/seaway").status == 403
        assert urllib3.request("PUT", f"{endpoint}/seaway/model", body=b"x").status == 403
        storage = S3Storage(connect(endpoint, {}))
        storage.upload(tmp_path / "model", "s3://seaway/model")
        storage.download("s3://seaway/model", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tmp_path / "model").read_bytes()
