"""A real API server, named by KUBECONFIG, and a namespace of its own for each test."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace

import api_proxy
import pytest
from kubernetes import client, config, dynamic
from seaway.platforms.kubernetes.connection import Connection, connect, connection_of

import images

ENFORCE = "pod-security.kubernetes.io/enforce"


@pytest.fixture(scope="session")
def cluster() -> dynamic.DynamicClient:
    """The API server; one that is named but does not answer is a failure, not a reason to skip."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG is not set: there is no API server to test against")
    return dynamic.DynamicClient(config.new_client_from_config())


@pytest.fixture
def namespace(cluster: dynamic.DynamicClient) -> Iterator[str]:
    """A new namespace that takes only pods of Pod Security `restricted`, deleted at the end."""
    name = f"seaway-test-{secrets.token_hex(4)}"
    core = client.CoreV1Api(cluster.client)
    metadata = client.V1ObjectMeta(name=name, labels={ENFORCE: "restricted"})
    core.create_namespace(client.V1Namespace(metadata=metadata))
    yield name
    core.delete_namespace(name)


@pytest.fixture
def connection(namespace: str) -> Connection:
    """The namespace, as the library reaches it."""
    return replace(connect(), namespace=namespace)


@pytest.fixture(scope="session")
def image(cluster: dynamic.DynamicClient) -> str:
    """An image with a shell."""
    return images.tiny_image()


@pytest.fixture
def proxy(connection: Connection) -> Iterator[api_proxy.ApiProxy]:
    """The API server, behind a proxy that injects faults."""
    with api_proxy.serving(connection.requests.configuration) as proxy:
        yield proxy


@pytest.fixture
def proxied(connection: Connection, proxy: api_proxy.ApiProxy) -> Connection:
    """The namespace, reached through the proxy."""
    settings = client.Configuration()
    settings.host = proxy.host
    settings.api_key = connection.requests.configuration.api_key
    settings.api_key_prefix = connection.requests.configuration.api_key_prefix
    return connection_of(settings, connection.namespace)
