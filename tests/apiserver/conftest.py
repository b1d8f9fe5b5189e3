"""One API server for the session, without controllers: a test plays the part of each that it needs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import api_proxy
import definitions
import pytest
from bare_api_server import bare_api_server
from garbage_collector import GarbageCollector
from kubernetes import config, dynamic
from namespaces import made_namespace
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, PODS, SERVICES, Resource
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.serving.deployment import Deployments

BUILT_IN = (batch_job.KIND.resource, *Deployments.resources, CONFIG_MAPS, SERVICES, PODS)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of an administrator, for this process and what it starts."""
    folder = tmp_path_factory.mktemp("api")
    with bare_api_server(folder) as kubeconfig, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        patch.setenv("KUBECACHEDIR", str(folder / "kubectl"))
        patch.setattr(config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))  # KUBECONFIG, as of import
        connect.cache_clear()
        yield kubeconfig
    connect.cache_clear()


@pytest.fixture(scope="session")
def garbage(server: Path) -> Iterator[GarbageCollector]:
    """What is deleted takes along what it owns."""
    collector = GarbageCollector(connect())
    for resource in BUILT_IN:
        collector.add(resource)
    yield collector
    collector.over.set()


@pytest.fixture(scope="session")
def cluster(garbage: GarbageCollector) -> dynamic.DynamicClient:
    """The API server."""
    return dynamic.DynamicClient(connect().requests)


@pytest.fixture(scope="session")
def serve(garbage: GarbageCollector) -> Callable[..., None]:
    """Has the server know custom resources; one with a large schema costs a second or more."""

    def serve(*resources: Resource) -> None:
        for resource in (one for one in resources if one not in garbage.resources):
            definitions.install(connect().requests, resource)
            garbage.add(resource)

    return serve


@pytest.fixture
def namespace(cluster: dynamic.DynamicClient) -> Iterator[str]:
    """The test's own namespace."""
    with made_namespace(cluster) as name:
        yield name


@pytest.fixture
def connection(namespace: str) -> Connection:
    """The namespace, as the library reaches it."""
    return replace(connect(), namespace=namespace)


@pytest.fixture
def image() -> str:
    """What no node pulls, for there is none."""
    return "docker.io/seaway/none:v1"


@pytest.fixture
def proxy(connection: Connection) -> Iterator[api_proxy.ApiProxy]:
    """The API server, behind a proxy that injects faults."""
    with api_proxy.serving(connection.requests.configuration) as proxy:
        yield proxy


@pytest.fixture
def proxied(connection: Connection, proxy: api_proxy.ApiProxy) -> Connection:
    """The namespace, reached through the proxy."""
    return api_proxy.through(proxy, connection)
