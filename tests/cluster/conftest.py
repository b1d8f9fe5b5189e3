"""A real API server, named by KUBECONFIG, and a namespace of its own for each test."""

import os
import secrets
from collections.abc import Iterator

import pytest
from kubernetes import client, config, dynamic


@pytest.fixture(scope="session")
def cluster() -> dynamic.DynamicClient:
    """The API server; one that is named but does not answer is a failure, not a reason to skip."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG is not set: there is no API server to test against")
    return dynamic.DynamicClient(config.new_client_from_config())


@pytest.fixture
def namespace(cluster: dynamic.DynamicClient) -> Iterator[str]:
    """A new namespace, deleted at the end."""
    name = f"seaway-test-{secrets.token_hex(4)}"
    core = client.CoreV1Api(cluster.client)
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    yield name
    core.delete_namespace(name)
