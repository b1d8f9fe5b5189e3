"""The route by which testers name the arm that answers: VirtualService NAME-arms beside that of Seldon's operator.

The operator's own has no match of headers. istiod puts the routes of one host and gateway together, those of the older
object first (`sortConfigByCreationTime`); so this one is made before the SeldonDeployment, whose route comes when its
pods are ready.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from seaway.model_server.arm import PORT
from seaway.platforms.kubernetes.traffic import gateway as edge
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon_operator import GRPC_PORT


def named_arms(name: str, arms: Iterable[str], host: str, gateway: str) -> dict[str, Any]:
    """The VirtualService of endpoint `name`: header x-seaway-arm leads to that arm, and to a 404 where it is none."""
    http = [route for arm in arms for route in _routes(name, arm)]
    return {
        "apiVersion": VIRTUAL_SERVICES.api_version,
        "kind": VIRTUAL_SERVICES.kind,
        "metadata": {"name": f"{name}-arms"},
        "spec": {"hosts": [host], "gateways": [gateway], "http": [*http, _absent(name)]},
    }


def _routes(name: str, arm: str) -> Iterator[dict[str, Any]]:
    """By HTTP, whose path the operator's route shortens, and by gRPC, which has no path of its own."""
    rewrite = {"uriRegexRewrite": {"match": f"^/seldon/[^/]+/{name}/", "rewrite": "/"}}
    yield {"name": f"seaway-{arm}", "match": [_by_path(name, arm)], "rewrite": rewrite, **_to(name, arm, PORT)}
    yield {"name": f"seaway-{arm}-grpc", "match": [_by_metadata(name, arm)], **_to(name, arm, GRPC_PORT)}


def _by_path(name: str, arm: str) -> dict[str, Any]:
    return {"uri": {"regex": f"/seldon/[^/]+/{name}/.*"}, "headers": {edge.ARM: {"exact": arm}}}


def _by_metadata(name: str, arm: str) -> dict[str, Any]:
    return {"uri": {"regex": ".*inference.*"}, "headers": {edge.ARM: {"exact": arm}, "seldon": {"exact": name}}}


def _to(name: str, arm: str, port: int) -> dict[str, Any]:
    destination = {"host": f"{name}-{arm}", "port": {"number": port}}
    return {"route": [{"destination": destination, "headers": {"response": {"set": {edge.ARM: arm}}}}]}


def _absent(name: str) -> dict[str, Any]:
    said = json.dumps({"error": f"Endpoint {name} has no such arm ({edge.ARM})."})
    match = {"uri": {"regex": f"/seldon/[^/]+/{name}/.*"}, "headers": {edge.ARM: {"regex": ".+"}}}
    direct = {"status": 404, "body": {"string": said}}
    marks = {"response": {"set": {"content-type": "application/json"}}}
    return {"name": "seaway-absent", "match": [match], "directResponse": direct, "headers": marks}
