"""Traffic by an HTTPRoute of the Gateway API (gateway.networking.k8s.io/v1).

A route may read Accepted although its Gateway is not programmed, and then answers 404; both conditions are read.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from seaway.errors import Forbidden, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection, connected
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import ROUTED, Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.client.served import missing, serves
from seaway.platforms.kubernetes.jobs.kind import condition
from seaway.platforms.kubernetes.traffic import gateway as edge
from seaway.platforms.kubernetes.traffic.evidence import DRIVES
from seaway.platforms.kubernetes.traffic.gateway import Gateway, Weights, service
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.weighted_route import (
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

HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
GATEWAYS = Resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")


class GatewayApiTraffic(RouteTraffic):
    """Weights in an HTTPRoute: NAME of our own, or one that `SEAWAY_ROUTE=httproute/NAME#RULE` names.

    RULE is the rule's name, or its number, counted from 0.
    """

    permissions = (
        Permission(
            HTTP_ROUTES, ROUTED, "gateway_api: an endpoint's own route, or the weights of one that SEAWAY_ROUTE names"
        ),
        DRIVES,
    )

    def __init__(
        self, connection: Connection | None = None, gateway: Gateway | None = None, named: str | None = None
    ) -> None:
        super().__init__(HttpRoutes(), connection, gateway, named)

    @classmethod
    def missing(cls) -> str:
        """What keeps the cluster from splitting traffic so; empty where nothing does.

        Many clusters have the definitions and no Gateway: the one that `SEAWAY_GATEWAY` names must be there.
        """
        lacks = missing(cls.permissions) or other_route(HTTP_ROUTES.kind)
        return lacks or ("" if os.environ.get("SEAWAY_ROUTE") else no_gateway(Objects(connected()), Gateway().name))


def no_gateway(objects: Objects, name: str) -> str:
    """Why routes cannot attach there; where this account may not look, Istio's kinds decide."""
    if not serves(objects, GATEWAYS):
        return GATEWAYS.full_name
    space, _, own = name.rpartition("/")
    try:
        there = Objects(replace(objects.connection, namespace=space or objects.namespace)).get(GATEWAYS, own)
    except Forbidden:
        return "the right to read that Gateway, beside Istio" if serves(objects, VIRTUAL_SERVICES) else ""
    return "" if there else f"Gateway {name} of {GATEWAYS.group} (SEAWAY_GATEWAY)"


class HttpRoutes(RouteKind):
    """How an HTTPRoute splits an endpoint's traffic."""

    resource = HTTP_ROUTES

    def build(
        self, endpoint: DeployedEndpoint, weights: Weights, mark: str, gateway: Gateway, mirrored: int = 0
    ) -> dict[str, Any]:
        namespace, _, name = gateway.name.rpartition("/")
        arms = named_arms(endpoint)
        shadow = {"backendRef": _service(endpoint, "candidate"), "percent": mirrored}
        mirrors = [{"type": "RequestMirror", "requestMirror": shadow}] if mirrored else []
        split = [_backend(endpoint, arm, weights[arm]) for arm in arms]
        rules = [
            _rule(
                [_backend(endpoint, "stable")], {"path": {"type": "Exact", "value": edge.LIVE}}, [_set(edge.MARK, mark)]
            ),
            *(_rule([_backend(endpoint, arm)], {"headers": [{"name": edge.ARM, "value": arm}]}) for arm in arms),
            _rule(split, None, mirrors),
        ]
        parent = {"name": name, **({"namespace": namespace} if namespace else {})}
        return {
            "apiVersion": HTTP_ROUTES.api_version,
            "kind": HTTP_ROUTES.kind,
            "metadata": marked(endpoint, mark),
            "spec": {"parentRefs": [parent], "hostnames": [endpoint.host], "rules": rules},
        }

    def rule(self, manifest: Manifest, endpoint: DeployedEndpoint, name: str) -> Rule:
        rules = manifest["spec"]["rules"]
        index = _place(manifest, name) if name else len(rules) - 1
        backends = rules[index].get("backendRefs", ())
        arms = {service(endpoint, arm): arm for arm in endpoint.arms}
        places = {arms.get(backend["name"], ""): place for place, backend in enumerate(backends)}
        if places.keys() != endpoint.arms.keys():
            raise TrafficFailed(
                f"Rule {name or index} of HTTPRoute {manifest['metadata']['name']} does not split between the arms of "
                f"endpoint {endpoint.name}: it needs one backendRef for each of {', '.join(arms)}, and no other."
            )
        return Rule(
            {arm: f"/spec/rules/{index}/backendRefs/{place}/weight" for arm, place in places.items()},
            {arm: int(backends[place].get("weight", 1)) for arm, place in places.items()},
            ".".join((manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"], str(index))),
        )

    def require_servable(self, manifest: Manifest, objects: Objects) -> None:
        sent = {key: value for key, value in manifest.items() if key != "status"}
        require_valid(sent, HTTP_ROUTES, (weight_problems,))
        for index, rule in enumerate(manifest["spec"]["rules"]):
            for place, backend in enumerate(rule.get("backendRefs", ())):
                if backend.get("kind", "Service") == "Service" and not backend.get("namespace"):
                    field = f"spec.rules[{index}].backendRefs[{place}]"
                    require_service(field, backend["name"], backend.get("port"), objects)

    def waits_for(self, manifest: Manifest, objects: Objects) -> str:
        parents = manifest.get("status", {}).get("parents", ())
        if not parents:
            return "no controller has accepted it; is there a controller of its Gateway's class?"
        generation = manifest["metadata"]["generation"]
        return next((why for parent in parents for why in _doubts(parent, generation, objects)), "")


def weight_problems(manifest: Manifest) -> Iterator[Problem]:
    """A split that lets nothing through."""
    for index, rule in enumerate(manifest.get("spec", {}).get("rules", ())):
        backends = rule.get("backendRefs", ())
        if backends and not sum(backend.get("weight", 1) for backend in backends):
            yield Problem(
                f"spec.rules[{index}].backendRefs", "Invalid value: all weights are 0; requests would get a 500"
            )


def _doubts(parent: Mapping[str, Any], generation: int, objects: Objects) -> Iterator[str]:
    for kind in ("Accepted", "ResolvedRefs"):
        found = next((entry for entry in parent.get("conditions", ()) if entry["type"] == kind), None)
        if found is None or found.get("observedGeneration", generation) != generation:
            yield f"its condition {kind} has not been written for what it says now"
        elif found["status"] != "True":
            yield f"{kind} is {found['status']}: {found.get('reason')}: {found.get('message')}"
    reference = parent["parentRef"]
    space, name = reference.get("namespace", objects.namespace), reference["name"]
    try:
        gateway = Objects(replace(objects.connection, namespace=space)).get(GATEWAYS, name)
    except Forbidden:
        return  # then answers alone must prove it
    if gateway is None:
        yield f"there is no Gateway {space}/{name} (SEAWAY_GATEWAY)"
    elif condition(gateway, "Programmed") is None:
        yield f"Gateway {space}/{name} is not Programmed; `kubectl describe gateway {name} -n {space}` says why"


def _place(manifest: Manifest, name: str) -> int:
    names = [rule.get("name", str(index)) for index, rule in enumerate(manifest["spec"]["rules"])]
    if name not in names:
        raise TrafficFailed(
            f"HTTPRoute {manifest['metadata']['name']} has no rule {name}; it has {', '.join(names)}. Name the one "
            "that splits, for SEAWAY_ROUTE=httproute/NAME#RULE."
        )
    return names.index(name)


def _service(endpoint: DeployedEndpoint, arm: str) -> dict[str, Any]:
    return {"name": service(endpoint, arm), "port": PORT}


def _backend(endpoint: DeployedEndpoint, arm: str, weight: int = 1) -> dict[str, Any]:
    return {**_service(endpoint, arm), "weight": weight, "filters": [_set(edge.ARM, arm)]}


def _set(header: str, value: str) -> dict[str, Any]:
    headers = [{"name": header, "value": value}]
    return {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": headers}}


def _rule(
    backends: list[dict[str, Any]], match: Mapping[str, Any] | None = None, filters: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    matches = {"matches": [match]} if match else {}
    kept = {"filters": filters} if filters else {}
    return {**matches, **kept, "backendRefs": backends, "timeouts": {"request": f"{REQUEST_S}s"}}
