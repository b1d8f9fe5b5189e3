"""What the generated role permits of routes: enough to move traffic, and nothing that is not needed."""

from collections.abc import Callable
from pathlib import Path

import fake_gateway
import pytest
from accounts import as_account
from routes import seldon_deployment
from seaway.errors import Forbidden
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.traffic.evidence import ROLLOUTS
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES, GatewayApiTraffic
from seaway.platforms.kubernetes.traffic.istio import DESTINATION_RULES, VIRTUAL_SERVICES, IstioTraffic
from seaway.platforms.kubernetes.traffic.rollout_state import ConfigMapRolloutStore
from seaway.platforms.kubernetes.traffic.seldon import SeldonTraffic
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS
from seaway.platforms.kubernetes.traffic.weighted_route import RouteTraffic
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint

PERMISSIONS = [(kind, verb) for kind, verb in rbac.permissions(rbac.ROUTES) if kind != ROLLOUTS]
LOOKED_AT = (DESTINATION_RULES, DEPLOYMENTS)  # never written
MOVED = [rule.resource for rule in rbac.ROUTES if rule.resource not in (*LOOKED_AT, ROLLOUTS)]  # test_rollout_policy


@pytest.fixture
def endpoint(serve: Callable[..., None], connection: Connection, tmp_path: Path) -> DeployedEndpoint:
    """Two Services without pods: whether anything answers is of no matter here."""
    serve(VIRTUAL_SERVICES, DESTINATION_RULES, HTTP_ROUTES, SELDON_DEPLOYMENTS)
    fake_gateway.services(Objects(connection))
    seldon_deployment(Objects(connection), fake_gateway.NAME, **ALL_STABLE)
    return fake_gateway.endpoint(connection.namespace, tmp_path, "http://127.0.0.1:1")


def moved(traffic: RouteTraffic, endpoint: DeployedEndpoint) -> None:
    """All that is ever asked of the API server for an endpoint's traffic, but for the wait until it follows."""
    for candidate in (0, 5):
        weights = {"stable": 100 - candidate, "candidate": candidate}
        if traffic._writes:
            traffic._write(endpoint, weights, str(candidate))
        else:
            traffic._patch(endpoint, weights)
    traffic.remove(endpoint)


def traffic_of(resource: Resource, limited: Connection) -> RouteTraffic:
    kinds = {HTTP_ROUTES: GatewayApiTraffic, VIRTUAL_SERVICES: IstioTraffic, SELDON_DEPLOYMENTS: SeldonTraffic}
    return kinds[resource](limited, Gateway(f"{limited.namespace}/edge", "", ""), "")


@pytest.mark.parametrize("resource", MOVED)
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
        if resource in LOOKED_AT:
            Objects(limited).list(resource)
        else:
            moved(traffic_of(resource, limited), endpoint)
