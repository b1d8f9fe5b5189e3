"""What Seldon's operator has made of a SeldonDeployment: the route that it wrote, and the pods that it waits for."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seaway.errors import KindMissing
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, Manifest, Resource
from seaway.platforms.kubernetes.traffic.gateway import Weights
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.weighted_route import FULL

SELDON_DEPLOYMENTS = Resource("machinelearning.seldon.io", "v1", "seldondeployments", "SeldonDeployment")
GRPC_PORT = 9500  # where it sends gRPC, whatever `grpcPort` says
SELDON_ID = "seldon-deployment-id"  # the operator's label of all that it makes for one
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Split:
    """Per cent by arm, and the share of requests that the candidate gets copies of."""

    weights: Weights
    mirrored: int = 0

    def __str__(self) -> str:
        shares = ", ".join(f"{arm} {weight} %" for arm, weight in self.weights.items())
        return f"{shares or 'nothing'}{f', {self.mirrored} % mirrored' if self.mirrored else ''}"


def written_split(manifest: Manifest) -> Split:
    """What a SeldonDeployment asks for."""
    predictors = manifest["spec"]["predictors"]
    weights = {one["name"]: int(one.get("traffic", 0)) for one in predictors if not one.get("shadow")}
    copies = [int(one.get("traffic", 0)) or FULL for one in predictors if one.get("shadow")]
    return Split(_whole(weights), sum(copies))


def routed_split(name: str, objects: Objects) -> Split | None:
    """What the operator has written into its VirtualService, None where there is no Istio."""
    try:
        found = objects.get(VIRTUAL_SERVICES, name)
    except KindMissing as error:
        log.debug("%s", error)
        return None
    if found is None:
        return Split({})
    first = found["spec"]["http"][0]
    hosts = {entry["destination"]["host"]: int(entry.get("weight", 0)) for entry in first.get("route", ())}
    weights = {host.partition(".")[0].removeprefix(f"{name}-"): weight for host, weight in hosts.items()}
    copies = int(first.get("mirrorPercentage", {}).get("value", FULL)) if "mirror" in first else 0
    return Split(_whole(weights), copies)


def lacking_pods(manifest: Manifest, objects: Objects, arm: str) -> str:
    """Which pods of a predictor are missing, as its operator sees it; empty for none."""
    name = manifest["metadata"]["name"]
    found = objects.list(DEPLOYMENTS, {"labelSelector": f"{SELDON_ID}={name}"}).items
    return "; ".join(_lacking(one for one in found if one["metadata"]["name"].startswith(f"{name}-{arm}-")))


def _lacking(deployments: Iterable[Manifest]) -> Iterator[str]:
    for one in deployments:
        status, wanted = one.get("status", {}), one["spec"].get("replicas", 1)
        if not status.get("readyReplicas") or status.get("unavailableReplicas"):
            ready = min(status.get("readyReplicas", 0), wanted)
            yield f"Deployment {one['metadata']['name']} has {ready} of {wanted} pods ready"


def _whole(weights: Weights) -> Weights:
    """A lone arm gets everything, whatever its weight says."""
    return weights if len(weights) > 1 else dict.fromkeys(weights, FULL)
