"""What the generated role permits of routes: enough to move traffic, and nothing that is not needed."""

from collections.abc import Iterator
from pathlib import Path

import edge
import pytest
from kubernetes import dynamic
from seaway.errors import Forbidden
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import SERVICES, Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES, GatewayApiTraffic
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, IstioTraffic
from seaway.platforms.kubernetes.traffic.rollout_state import ConfigMapRolloutStore
from seaway.platforms.kubernetes.traffic.weighted_route import RouteTraffic
from seaway.serving import DeployedEndpoint
from test_access import as_account
from tiny_model import service

PERMISSIONS = list(rbac.permissions(rbac.ROUTES))


@pytest.fixture
def endpoint(cluster: dynamic.DynamicClient, connection: Connection, tmp_path: Path) -> Iterator[DeployedEndpoint]:
    """Two Services without pods: whether anything answers is of no matter here."""
    edge.require_gateway(cluster)
    for arm in ("stable", "candidate"):
        Objects(connection).create(SERVICES, service(arm, "v1"))
    yield edge.endpoint(connection.namespace, tmp_path)


def moved(traffic: RouteTraffic, endpoint: DeployedEndpoint) -> None:
    """All that is ever asked of the API server for an endpoint's traffic, but for the wait until it follows."""
    for candidate in (0, 5):
        weights = {"stable": 100 - candidate, "candidate": candidate}
        traffic._write(endpoint, weights, str(candidate))
    traffic.remove(endpoint)


def traffic_of(resource: Resource, limited: Connection) -> RouteTraffic:
    kind = GatewayApiTraffic if resource == HTTP_ROUTES else IstioTraffic
    return kind(limited, edge.gateway(limited.namespace), "")


@pytest.mark.parametrize("resource", [rule.resource for rule in rbac.ROUTES if rule.resource != DESTINATION_RULES])
def test_traffic_is_moved_and_journalled(
    resource: Resource, connection: Connection, endpoint: DeployedEndpoint
) -> None:
    limited = as_account(connection, rbac.RULES)
    moved(traffic_of(resource, limited), endpoint)
    state = ConfigMapRolloutStore(limited)
    for step in (1, 2):
        state.read(endpoint)
        state.write(endpoint, {"step": step})


@pytest.mark.parametrize("resource, verb", PERMISSIONS, ids=[f"{verb}-{kind.plural}" for kind, verb in PERMISSIONS])
def test_one_permission_fewer_is_told_by_its_name(
    resource: Resource, verb: str, connection: Connection, endpoint: DeployedEndpoint
) -> None:
    limited = as_account(connection, rbac.without(resource, verb))
    with pytest.raises(Forbidden, match=f"Not allowed to {verb} {resource.full_name}"):
        if resource == DESTINATION_RULES:
            Objects(limited).list(resource)
        else:
            moved(traffic_of(resource, limited), endpoint)
