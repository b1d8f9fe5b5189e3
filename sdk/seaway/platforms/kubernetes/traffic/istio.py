"""Traffic by an Istio VirtualService.

istiod takes weights that do not add up to 100, destinations without a weight, and hosts and subsets that there are not;
requests then go elsewhere than the object says, or get a 503. All of them are refused here.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from seaway.errors import InvalidSpec, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import ROUTED, Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.client.served import missing
from seaway.platforms.kubernetes.traffic import gateway as edge
from seaway.platforms.kubernetes.traffic.evidence import DRIVES
from seaway.platforms.kubernetes.traffic.gateway import Gateway, Weights, service
from seaway.platforms.kubernetes.traffic.weighted_route import (
    FULL,
    PORT,
    REQUEST_S,
    RouteKind,
    RouteTraffic,
    Rule,
    marked,
    named_arms,
    other_route,
    require_service,
)
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.platforms.kubernetes.validation.schema import require_valid
from seaway.serving import DeployedEndpoint

VIRTUAL_SERVICES = Resource("networking.istio.io", "v1", "virtualservices", "VirtualService")
DESTINATION_RULES = Resource("networking.istio.io", "v1", "destinationrules", "DestinationRule")
WEIGHTS = "seaway-weights"  # the http route that splits
RETRIES = {"attempts": 2, "retryOn": "connect-failure,refused-stream"}  # istiod's own would hide an arm's 503s


class IstioTraffic(RouteTraffic):
    """Weights in a VirtualService: NAME of our own, or one that `SEAWAY_ROUTE=virtualservice/NAME#ROUTE` names."""

    permissions = (
        Permission(
            VIRTUAL_SERVICES, ROUTED, "istio: an endpoint's own route, or the weights of one that SEAWAY_ROUTE names"
        ),
        Permission(DESTINATION_RULES, ("list",), "istio: whether the subsets of a route exist"),
        DRIVES,
    )

    def __init__(
        self, connection: Connection | None = None, gateway: Gateway | None = None, named: str | None = None
    ) -> None:
        super().__init__(VirtualServices(), connection, gateway, named)

    @classmethod
    def missing(cls) -> str:
        """What keeps the cluster from splitting traffic so; empty where nothing does."""
        return missing(cls.permissions) or other_route(VIRTUAL_SERVICES.kind)


class VirtualServices(RouteKind):
    """How a VirtualService splits an endpoint's traffic."""

    resource = VIRTUAL_SERVICES

    def build(
        self, endpoint: DeployedEndpoint, weights: Weights, mark: str, gateway: Gateway, mirrored: int = 0
    ) -> dict[str, Any]:
        arms = named_arms(endpoint)
        absent = {"error": f"There is no such arm ({edge.ARM}); endpoint {endpoint.name} has {' and '.join(arms)}."}
        split = _route(WEIGHTS, [{**_destination(endpoint, arm), "weight": weights[arm]} for arm in arms])
        if mirrored:
            shadow = {"host": service(endpoint, "candidate"), "port": {"number": PORT}}
            split["mirrors"] = [{"destination": shadow, "percentage": {"value": mirrored}}]
        http = [
            _answer("seaway-live", {"uri": {"exact": edge.LIVE}}, 200, {"live": True}, {edge.MARK: mark}),
            *(_forced(endpoint, arm) for arm in arms),
            _answer("seaway-absent", {"headers": {edge.ARM: {}}}, 404, absent),
            split,
        ]
        return {
            "apiVersion": VIRTUAL_SERVICES.api_version,
            "kind": VIRTUAL_SERVICES.kind,
            "metadata": marked(endpoint, mark),
            "spec": {"hosts": [endpoint.host], "gateways": [gateway.name], "http": http},
        }

    def rule(self, manifest: Manifest, endpoint: DeployedEndpoint, name: str) -> Rule:
        index, route = _named_route(manifest, name or WEIGHTS)
        places = {_arm(entry["destination"], endpoint): place for place, entry in enumerate(route.get("route", ()))}
        if places.keys() != endpoint.arms.keys():
            raise TrafficFailed(
                f"Route {name or WEIGHTS} of VirtualService {manifest['metadata']['name']} does not split between "
                f"the arms of endpoint {endpoint.name}: it needs one destination for each of "
                f"{', '.join(endpoint.arms)}, with host {endpoint.name}-ARM or subset ARM, and no other."
            )
        lone = FULL if len(places) == 1 else 0
        return Rule(
            {arm: f"/spec/http/{index}/route/{place}/weight" for arm, place in places.items()},
            {arm: int(route["route"][place].get("weight", lone)) for arm, place in places.items()},
            name or WEIGHTS,
        )

    def require_servable(self, manifest: Manifest, objects: Objects) -> None:
        sent = {key: value for key, value in manifest.items() if key != "status"}
        require_valid(sent, VIRTUAL_SERVICES, (weight_problems,))
        for field, destination in _destinations(manifest):
            _require_known(field, destination, objects)


def weight_problems(manifest: Manifest) -> Iterator[Problem]:
    """Weights with which istiod makes another split than the object says."""
    for index, route in enumerate(manifest.get("spec", {}).get("http", ())):
        field, entries = f"spec.http[{index}].route", route.get("route", ())
        weights = [entry.get("weight", 0) for entry in entries]
        if len(weights) > 1 and sum(weights) != FULL:
            yield Problem(field, f"Invalid value: weights {weights} add up to {sum(weights)}, not to {FULL}")
        for place, weight in enumerate(weights):
            if len(weights) > 1 and "weight" not in entries[place]:
                yield Problem(f"{field}[{place}].weight", "Required value: without a weight it gets no traffic")
            elif not 0 <= weight <= FULL:
                yield Problem(f"{field}[{place}].weight", f"Invalid value: {weight}: must be 0 to {FULL}")


def _destinations(manifest: Manifest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each destination, with its field."""
    for index, route in enumerate(manifest["spec"].get("http", ())):
        for place, entry in enumerate(route.get("route", ())):
            yield f"spec.http[{index}].route[{place}].destination", entry["destination"]
        for place, mirror in enumerate(route.get("mirrors", ())):
            yield f"spec.http[{index}].mirrors[{place}].destination", mirror["destination"]


def _require_known(field: str, destination: Mapping[str, Any], objects: Objects) -> None:
    """Only hosts of this namespace can be looked up."""
    name, _, rest = destination["host"].partition(".")
    if rest and not f"{rest}.".startswith(f"{objects.namespace}."):
        return
    require_service(field, name, destination.get("port", {}).get("number"), objects)
    if (subset := destination.get("subset")) and subset not in _subsets(name, objects):
        raise InvalidSpec(
            f"{field}.subset: no DestinationRule of host {name} in namespace {objects.namespace} has a subset "
            f"{subset}; each request there would get a 503."
        )


def _subsets(name: str, objects: Objects) -> set[str]:
    rules = [rule["spec"] for rule in objects.list(DESTINATION_RULES).items]
    own = [rule for rule in rules if rule["host"].partition(".")[0] == name]
    return {subset["name"] for rule in own for subset in rule.get("subsets", ())}


def _named_route(manifest: Manifest, name: str) -> tuple[int, Mapping[str, Any]]:
    routes = manifest["spec"].get("http", [])
    found = [(index, route) for index, route in enumerate(routes) if route.get("name") == name]
    if len(found) != 1:
        names = [route.get("name", "(without a name)") for route in routes]
        raise TrafficFailed(
            f"VirtualService {manifest['metadata']['name']} has {len(found)} http routes named {name}; it has "
            f"{', '.join(names) or 'none'}. Name the one that splits, for SEAWAY_ROUTE=virtualservice/NAME#ROUTE."
        )
    return found[0]


def _arm(destination: Mapping[str, Any], endpoint: DeployedEndpoint) -> str:
    host, subset = destination["host"].partition(".")[0], destination.get("subset")
    return next((arm for arm in endpoint.arms if subset == arm or host == service(endpoint, arm)), "")


def _destination(endpoint: DeployedEndpoint, arm: str) -> dict[str, Any]:
    return {
        "destination": {"host": service(endpoint, arm), "port": {"number": PORT}},
        "headers": {"response": {"set": {edge.ARM: arm}}},
    }


def _route(name: str, destinations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "route": destinations, "timeout": f"{REQUEST_S}s", "retries": dict(RETRIES)}


def _forced(endpoint: DeployedEndpoint, arm: str) -> dict[str, Any]:
    """Testers say which arm they want."""
    named = {"headers": {edge.ARM: {"exact": arm}}}
    return {**_route(f"seaway-{arm}", [_destination(endpoint, arm)]), "match": [named]}


def _answer(
    name: str, match: Mapping[str, Any], status: int, body: object, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A route that the gateway answers itself."""
    said = {"content-type": "application/json", **(headers or {})}
    direct = {"status": status, "body": {"string": json.dumps(body)}}
    return {"name": name, "match": [match], "directResponse": direct, "headers": {"response": {"set": said}}}
