"""A real API server, named by KUBECONFIG, a namespace of its own for each test, and one that trainings share."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import api_proxy
import object_store_pod
import pytest
from kubernetes import config, dynamic
from namespaces import made_namespace
from seaway.platforms.kubernetes.client.connection import Connection, connect

import images

TRAINING_POLICY = Path(__file__).parents[2] / "manifests" / "training"


@pytest.fixture(scope="session", autouse=True)
def discovered_now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """kubectl keeps for hours, by address, which kinds a server knows; an earlier cluster may have had this address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECACHEDIR", str(tmp_path_factory.mktemp("kubectl")))
        yield


@pytest.fixture(scope="session")
def cluster() -> dynamic.DynamicClient:
    """The API server; one that is named but does not answer is a failure, not a reason to skip."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG is not set: there is no API server to test against")
    return dynamic.DynamicClient(config.new_client_from_config())


@pytest.fixture
def namespace(cluster: dynamic.DynamicClient) -> Iterator[str]:
    """The test's own namespace."""
    with made_namespace(cluster) as name:
        yield name


@pytest.fixture
def connection(namespace: str) -> Connection:
    """The namespace, as the library reaches it."""
    return replace(connect(), namespace=namespace)


@pytest.fixture(scope="session")
def image(cluster: dynamic.DynamicClient) -> str:
    """An image with a shell."""
    return images.tiny_image()


@pytest.fixture(scope="session")
def trainer_image(cluster: dynamic.DynamicClient) -> str:
    """The image that trains, with this tree's code."""
    return images.trainer_image()


@pytest.fixture(scope="session")
def runtime_image(cluster: dynamic.DynamicClient) -> str:
    """The image that steps run in, with this tree's code."""
    return images.runtime_image()


@pytest.fixture(scope="session")
def training_policy(cluster: dynamic.DynamicClient) -> Iterator[None]:
    """manifests/training, applied as docs/clusters.md says; removed where it was not there before."""
    policy = ["-k", TRAINING_POLICY]
    found = subprocess.run(["kubectl", "get", *policy], capture_output=True, text=True, check=False)
    if "no matches for kind" in found.stderr:
        pytest.skip(f"this cluster has no mutating admission policies: {found.stderr}")
    if found.returncode:
        subprocess.run(["kubectl", "apply", "--server-side", *policy], capture_output=True, check=True)
    yield
    if found.returncode:
        subprocess.run(["kubectl", "delete", *policy], capture_output=True, check=True)


@pytest.fixture(scope="session")
def place(cluster: dynamic.DynamicClient, training_policy: None) -> Iterator[str]:
    """The namespace that all trainings of a test run share, with the object store in it."""
    with made_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="session")
def store(cluster: dynamic.DynamicClient, place: str) -> Iterator[object_store_pod.StoreInCluster]:
    """An S3 server that pods of `place` and this machine reach."""
    with object_store_pod.object_store(cluster.client, place) as store:
        yield store


@pytest.fixture(scope="session")
def placement(store: object_store_pod.StoreInCluster) -> dict[str, Any]:
    """How pods of a training find the store, and what they ask for: three of them fit a small node."""
    return {
        "cpu": "100m",
        "memory": "1Gi",
        "shared_memory": "64Mi",
        "scratch": "1Gi",
        "env": {"AWS_ENDPOINT_URL": store.inside},
        "env_secrets": [object_store_pod.SECRET],
    }


@pytest.fixture
def training_environment(
    place: str, store: object_store_pod.StoreInCluster, trainer_image: str, monkeypatch: pytest.MonkeyPatch
) -> str:
    """What a user exports before a run; returns the run's id, which no other test has."""
    run = f"run-{secrets.token_hex(4)}"
    named = {
        "SEAWAY_RUN_ID": run,
        "SEAWAY_NAMESPACE": place,
        "SEAWAY_STORAGE": f"s3://{object_store_pod.BUCKET}/{run}",
        "SEAWAY_TRAINER_IMAGE": trainer_image,
    }
    for name, value in {**store.environment, **named}.items():
        monkeypatch.setenv(name, value)
    return run


@pytest.fixture
def proxy(connection: Connection) -> Iterator[api_proxy.ApiProxy]:
    """The API server, behind a proxy that injects faults."""
    with api_proxy.serving(connection.requests.configuration) as proxy:
        yield proxy


@pytest.fixture
def proxied(connection: Connection, proxy: api_proxy.ApiProxy) -> Connection:
    """The namespace, reached through the proxy."""
    return api_proxy.through(proxy, connection)
