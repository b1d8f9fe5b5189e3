"""A real gateway before tiny models: an Istio Gateway, or one of the Gateway API, and an endpoint of two arms.

`SEAWAY_TEST_GATEWAY_URL` is where port 80 of the gateway `istio: ingressgateway` answers, `SEAWAY_TEST_GATEWAY_ADMIN`
its Envoy's administration port.
"""

import collections
import contextlib
import hashlib
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import tiny_model
from kubernetes import client, dynamic
from namespaces import made_namespace
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.http import fetch
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.rollout import Traffic
from seaway.serving import Arm, Client, DeployedEndpoint

URL = os.environ.get("SEAWAY_TEST_GATEWAY_URL", "http://127.0.0.1:18080")
ADMIN = os.environ.get("SEAWAY_TEST_GATEWAY_ADMIN", "http://127.0.0.1:15000")
STATS = f"{ADMIN}/stats/prometheus"
ISTIO_NAMESPACE = "istio-system"
ADDRESS = f"istio-ingressgateway.{ISTIO_NAMESPACE}.svc.cluster.local"
READY_S = 120
NAME = tiny_model.NAME
GATEWAYS = Resource("networking.istio.io", "v1", "gateways", "Gateway")
SAMPLE = MappingProxyType({"x": [[0.5]]})
SIGMAS = 5  # a right split misses by more in one of two million tests


def require_gateway(cluster: dynamic.DynamicClient) -> None:
    """Skip where there is no Istio, or its gateway cannot be reached from here."""
    try:
        cluster.resources.get(api_version="networking.istio.io/v1", kind="VirtualService")
        fetch(f"{ADMIN}/ready", 5.0)
    except (dynamic.exceptions.ResourceNotFoundError, OSError) as error:
        pytest.skip(f"no Istio gateway with its Envoy's administration at {ADMIN}: {error}")


def istio_gateway(namespace: str, host: str = "") -> dict[str, Any]:
    hosts = [host or f"*.{namespace}.test"]
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": hosts}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "edge"},
        "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]},
    }


def api_gateway(namespace: str, name: str = "edge") -> dict[str, Any]:
    """istiod takes the host's gateway for a Gateway of its own namespace only."""
    listener = {"name": "http", "port": 80, "protocol": "HTTP", "hostname": f"*.{namespace}.test"}
    allowed = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": name},
        "spec": {
            "gatewayClassName": "istio",
            "addresses": [{"type": "Hostname", "value": ADDRESS}],
            "listeners": [{**listener, **allowed}],
        },
    }


def endpoint(namespace: str, folder: Path, arms: Mapping[str, str] | None = None) -> DeployedEndpoint:
    """Arms by version, as `tiny_model.start` starts them."""
    versions = arms or {"stable": "v1", "candidate": "v2"}
    (folder / "token").write_text("token", encoding="utf-8")
    served = {
        arm: Arm(version, f"s3://models/{version}", f"{NAME}-{version}", hashlib.sha256(version.encode()).hexdigest())
        for arm, version in versions.items()
    }
    return DeployedEndpoint(NAME, "r1", folder, URL, arms=served, host=f"{NAME}.{namespace}.test")


def gateway(namespace: str, admin: str = ADMIN) -> Gateway:
    return Gateway(f"{namespace}/edge", admin, STATS)


def start(connection: Connection, **settings: Mapping[str, Any]) -> None:
    """Serve stable as v1 and the candidate as v2; `settings` are those of `tiny_model.deployment`, by arm."""
    versions = {"stable": "v1", "candidate": "v2"}
    arms = {arm: {"version": version, **settings.get(arm, {})} for arm, version in versions.items()}
    tiny_model.start(connection.requests, connection.namespace, arms)
    await_ready(connection)


def await_ready(connection: Connection) -> None:
    """Wait until all deployments of the namespace are."""
    apps, deadline = client.AppsV1Api(connection.requests), time.monotonic() + READY_S
    while True:
        found = apps.list_namespaced_deployment(connection.namespace).items
        if found and all(item.status.ready_replicas == item.spec.replicas for item in found):
            return
        assert time.monotonic() < deadline, [item.status for item in found]
        time.sleep(0.2)


def answering(
    endpoint: DeployedEndpoint, count: int, arm: str | None = None, inputs: Mapping[str, Any] = SAMPLE
) -> collections.Counter[str]:
    """How many of so many requests each arm answered."""
    with Client(endpoint.url, endpoint.token(), host=endpoint.host) as model:
        arms = collections.Counter[str]()
        for _ in range(count):
            model.infer(endpoint.name, inputs, arm)
            arms[model.arm] += 1
    return arms


def assert_follows(traffic: Traffic, endpoint: DeployedEndpoint, requests: int) -> None:
    """Answers and the weights that are read back are those that were set, at once."""
    for candidate in (20, 100, 0):
        traffic.set_weights(endpoint, {"stable": 100 - candidate, "candidate": candidate})
        share = candidate / 100
        answered = answering(endpoint, requests)["candidate"]
        assert abs(answered - share * requests) <= SIGMAS * math.sqrt(share * (1 - share) * requests)
        assert traffic.weights(endpoint) == {"stable": 100 - candidate, "candidate": candidate}


def clear(objects: Objects, *resources: Resource) -> None:
    """Delete all objects of these kinds in the namespace, and wait until there are none."""
    for resource in resources:
        while items := objects.list(resource).items:
            for item in items:
                objects.delete(resource, item["metadata"]["name"])


@contextlib.contextmanager
def behind_istio(cluster: dynamic.DynamicClient) -> Iterator[Connection]:
    """A namespace of its own, with an Istio Gateway that takes its hosts."""
    require_gateway(cluster)
    with made_namespace(cluster) as name:
        connection = replace(connect(), namespace=name)
        Objects(connection).create(GATEWAYS, istio_gateway(name))
        yield connection


@contextlib.contextmanager
def in_istio_namespace(connection: Connection, manifest: dict[str, Any], resource: Any) -> Iterator[None]:
    """An object of Istio's namespace, for as long as a test needs it."""
    objects = Objects(replace(connection, namespace=ISTIO_NAMESPACE))
    objects.create(resource, manifest)
    try:
        yield
    finally:
        objects.delete(resource, manifest["metadata"]["name"])
