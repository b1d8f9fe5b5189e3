"""A namespace with what docs/how-to/run-on-kubeflow.md says that steps in pods need, from the shipped manifests."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import yaml
from accounts import as_account
from kubernetes import client, dynamic
from namespaces import made_namespace
from object_store_pod import SECRET, StoreInCluster, object_store
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.install import rbac

from images import PROJECT

READY_S = 300


@contextmanager
def namespace_for_steps(cluster: dynamic.DynamicClient) -> Iterator[tuple[Connection, StoreInCluster]]:
    """Role and account, an S3 server with its Secret, the signing keys; the settings are those of `give_settings`."""
    with made_namespace(cluster) as name, object_store(cluster.client, name) as store:
        connection = replace(connect(), namespace=name)
        as_account(connection, rbac.RULES)
        content = {"stringData": {"AWS_ENDPOINT_URL": store.inside}}
        client.CoreV1Api(cluster.client).patch_namespaced_secret(SECRET, name, content)
        subprocess.run([PROJECT / "kustomize" / "signing.sh", name], check=True, stdout=subprocess.DEVNULL)
        yield connection, store


def give_settings(connection: Connection, settings: Mapping[str, str]) -> None:
    """The shipped ConfigMap with these settings of the installation's own."""
    [shipped] = _built("settings")
    content = {"metadata": {"labels": shipped["metadata"]["labels"]}, "data": {**shipped["data"], **settings}}
    core = client.CoreV1Api(connection.requests)
    core.patch_namespaced_config_map(shipped["metadata"]["name"], connection.namespace, content)


def start_tracking(connection: Connection, image: str) -> None:
    """The shipped MLflow server; what it keeps ends with its pod."""
    objects = _built("tracking")
    [server] = [one["spec"] for one in objects if one["kind"] == "StatefulSet"]
    del server["volumeClaimTemplates"]
    pod = server["template"]["spec"]
    pod["volumes"].append({"name": "data", "emptyDir": {}})
    pod["containers"][0]["image"] = image
    kubectl = ["kubectl", "-n", connection.namespace]
    subprocess.run(
        [*kubectl, "apply", "-f", "-"], input=yaml.safe_dump_all(objects), check=True, capture_output=True, text=True
    )
    subprocess.run(
        [*kubectl, "rollout", "status", "statefulset/mlflow", f"--timeout={READY_S}s"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _built(manifests: str) -> list[dict[str, Any]]:
    command = ["kubectl", "kustomize", str(PROJECT / "manifests" / manifests)]
    return list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
