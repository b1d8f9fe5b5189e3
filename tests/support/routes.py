"""Routes that somebody else has made, and what they do with them."""

from typing import Any

from jobs import NOBODY, RESTRICTED
from kubernetes import client
from seaway.platforms.kubernetes.client.naming import ENDPOINT
from seaway.platforms.kubernetes.client.objects import JSON_PATCH, Objects
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.serving.server_pod import VERSION
from seaway.platforms.kubernetes.traffic.gateway_api import HTTP_ROUTES
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS
from seaway.rollout import ALL_STABLE
from seaway.serving import DeployedEndpoint

SOMEBODY = "somebody"
NAMED = "virtualservice/site#models"
NEWS = {"name": "news", "match": [{"uri": {"prefix": "/news"}}], "directResponse": {"status": 204}}


def destination(endpoint: str, arm: str, **part: Any) -> dict[str, Any]:
    return {
        "destination": {"host": f"{endpoint}-{arm}", **part},
        "headers": {"response": {"set": {"x-seaway-arm": arm}}},
    }


def virtual_service(objects: Objects, endpoint: DeployedEndpoint, name: str = "site", **split: Any) -> dict[str, Any]:
    """A VirtualService with a route of its own before the one that splits."""
    route = [{**destination(endpoint.name, arm), "weight": share} for arm, share in ALL_STABLE.items()]
    docs = {"name": "docs", "match": [{"uri": {"prefix": "/docs"}}], "directResponse": {"status": 200}}
    http = [docs, {"name": "models", "route": route, "timeout": "7s", **split}]
    spec = {"hosts": [endpoint.host], "gateways": ["edge"], "http": http}
    return _made(objects, VIRTUAL_SERVICES, name, spec)


def http_route(objects: Objects, endpoint: DeployedEndpoint, parent: Manifest, name: str = "site") -> dict[str, Any]:
    """An HTTPRoute of two rules, the second of which splits."""
    marked = [
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "x-seaway-arm", "value": arm}]}}
        for arm in ALL_STABLE
    ]
    split = [
        {"name": f"{endpoint.name}-{arm}", "port": 80, "weight": weight, "filters": [header]}
        for (arm, weight), header in zip(ALL_STABLE.items(), marked, strict=True)
    ]
    docs = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/docs"}}],
        "backendRefs": [{"name": f"{endpoint.name}-stable", "port": 80}],
    }
    rules = [docs, {"backendRefs": split}]
    spec = {"parentRefs": [dict(parent)], "hostnames": [endpoint.host], "rules": rules}
    return _made(objects, HTTP_ROUTES, name, spec)


def seldon_deployment(objects: Objects, name: str, **traffic: int) -> dict[str, Any]:
    """A SeldonDeployment whose predictors have this traffic, each a version of its own name."""
    listed = [predictor(name, arm, share) for arm, share in traffic.items()]
    return _made(objects, SELDON_DEPLOYMENTS, name, {"name": name, "protocol": "v2", "predictors": listed})


def predictor(name: str, arm: str, share: int) -> dict[str, Any]:
    container = {"name": "server", "image": "docker.io/seaway/none:v1", "securityContext": RESTRICTED}
    container |= {"ports": [{"name": "http", "containerPort": 8080}]}
    labels = {ENDPOINT: name, VERSION: arm}
    component = {"metadata": {"labels": labels}, "spec": {"securityContext": NOBODY, "containers": [container]}}
    return {
        "name": arm,
        "traffic": share,
        "annotations": {"seldon.io/no-engine": "true"},
        "graph": {"name": "server", "type": "MODEL"},
        "componentSpecs": [component],
    }


def edited(objects: Objects, resource: Resource, name: str, operations: list[dict[str, Any]]) -> None:
    """Somebody edits it."""
    path = resource.path(objects.namespace, name)
    objects.connection.request("PATCH", path, {"fieldManager": SOMEBODY}, operations, JSON_PATCH)


def _made(objects: Objects, resource: Resource, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, "spec": spec}
    api = client.CustomObjectsApi(objects.connection.requests)
    made: dict[str, Any] = api.create_namespaced_custom_object(
        resource.group, resource.version, objects.namespace, resource.plural, manifest, field_manager=SOMEBODY
    )
    return made
