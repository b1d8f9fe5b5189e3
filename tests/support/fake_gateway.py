"""A gateway, played: it answers as the route says that the API server has; Istio's own is in tests/cluster."""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import http_server
from controllers import playing
from kubernetes import client
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import SERVICES, Resource
from seaway.platforms.kubernetes.traffic.gateway import ARM, MARK
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES
from seaway.serving import Arm, DeployedEndpoint

NAME = "tiny"  # of the endpoint


@contextmanager
def answering(objects: Objects, resource: Resource, name: str = NAME) -> Iterator[str]:
    """Serve what a route leads to; yields the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = objects.get(resource, name)
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", "0")
            for header, value in headers(found["spec"]).items() if found else ():
                self.send_header(header, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http_server.serving(Handler) as server:
        yield http_server.url(server)


def headers(spec: dict[str, Any]) -> dict[str, str]:
    """Of an answer: the arm that gave it, by weight, and the mark of the route."""
    weights = split(spec)
    [service] = random.choices(list(weights), list(weights.values()))
    return {ARM: service.removeprefix(f"{NAME}-"), MARK: set_header(spec, MARK)}


def split(spec: dict[str, Any]) -> dict[str, int]:
    """Weights by Service or predictor: of the part that has more than one."""
    if "predictors" in spec:
        return {one["name"]: one["traffic"] for one in spec["predictors"] if not one.get("shadow")}
    if "http" in spec:
        [route] = [one["route"] for one in spec["http"] if len(one.get("route", ())) > 1]
        return {one["destination"]["host"]: one.get("weight", 0) for one in route}
    [backends] = [rule["backendRefs"] for rule in spec["rules"] if len(rule["backendRefs"]) > 1]
    return {one["name"]: one["weight"] for one in backends}


def set_header(part: Any, name: str) -> str:
    """The value that a route sets, wherever it does so."""
    if isinstance(part, dict) and (name in part or part.get("name") == name):
        return str(part.get(name) or part["value"])
    below = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return next(filter(None, (set_header(one, name) for one in below)), "")


def accepting(objects: Objects) -> AbstractContextManager[None]:
    """The controller of HTTPRoutes takes up each, as it was last written."""
    api = client.CustomObjectsApi(objects.connection.requests)

    def part() -> None:
        for route in objects.list(HTTP_ROUTES).items:
            generation, known = route["metadata"]["generation"], route.get("status", {}).get("parents", ())
            if not known or known[0]["conditions"][0]["observedGeneration"] != generation:
                place = (HTTP_ROUTES.group, HTTP_ROUTES.version, objects.namespace, HTTP_ROUTES.plural)
                parents = [accepted(parent, generation) for parent in route["spec"]["parentRefs"]]
                status = {"status": {"parents": parents}}
                api.patch_namespaced_custom_object_status(*place, route["metadata"]["name"], status)

    return playing(part)


def accepted(parent: dict[str, Any], generation: int) -> dict[str, Any]:
    said = {"status": "True", "reason": "Played", "message": "", "observedGeneration": generation}
    conditions = [{"type": kind, **said} for kind in ("Accepted", "ResolvedRefs")]
    return {"parentRef": parent, "controllerName": "seaway.dev/played", "conditions": conditions}


def endpoint(namespace: str, folder: Path, url: str) -> DeployedEndpoint:
    """Of two arms."""
    arms = {arm: Arm(arm, f"s3://models/{arm}", f"{NAME}-{arm}") for arm in ("stable", "candidate")}
    return DeployedEndpoint(NAME, "r1", folder, url, arms=arms, host=f"{NAME}.{namespace}.test")


def services(objects: Objects) -> None:
    """One for each arm; whether anything answers behind them is of no matter here."""
    for arm in ("stable", "candidate"):
        manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"{NAME}-{arm}"}}
        objects.create(SERVICES, {**manifest, "spec": {"ports": [{"port": 80}]}})
