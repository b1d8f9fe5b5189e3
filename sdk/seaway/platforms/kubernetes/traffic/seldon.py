"""Traffic by `predictors[].traffic` of SeldonDeployment NAME, whose predictors are called as the arms.

With Istio, Seldon's operator writes the VirtualService from it; a second one for the same paths would compete, so only
the predictors are touched. It calls Services NAME-PREDICTOR and subsets PREDICTOR, so the gateway tells arms as ever.
"""

from typing import Any

from seaway.errors import InvalidSpec, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.traffic.gateway import Gateway, Weights
from seaway.platforms.kubernetes.traffic.weighted_route import FULL, RouteKind, RouteTraffic, Rule
from seaway.serving import DeployedEndpoint

SELDON_DEPLOYMENTS = Resource("machinelearning.seldon.io", "v1", "seldondeployments", "SeldonDeployment")


class SeldonTraffic(RouteTraffic):
    """Weights in a SeldonDeployment."""

    permissions = (Permission(SELDON_DEPLOYMENTS, ("get", "patch"), "seldon: the predictors' weights"),)

    def __init__(
        self, connection: Connection | None = None, gateway: Gateway | None = None, named: str | None = None
    ) -> None:
        super().__init__(SeldonDeployments(), connection, gateway, named)


class SeldonDeployments(RouteKind):
    """How a SeldonDeployment splits an endpoint's traffic."""

    resource = SELDON_DEPLOYMENTS
    ours = False

    def build(
        self, endpoint: DeployedEndpoint, weights: Weights, mark: str, gateway: Gateway, mirrored: int = 0
    ) -> dict[str, Any]:
        raise TrafficFailed(
            f"Endpoint {endpoint.name} has no SeldonDeployment; it is made when it is deployed by Seldon."
        )

    def rule(self, manifest: Manifest, endpoint: DeployedEndpoint, name: str) -> Rule:
        predictors = manifest["spec"]["predictors"]
        places = {predictor["name"]: place for place, predictor in enumerate(predictors)}
        if places.keys() != endpoint.arms.keys():
            raise TrafficFailed(
                f"SeldonDeployment {manifest['metadata']['name']} has predictors {', '.join(places)}; endpoint "
                f"{endpoint.name} needs one called as each of its arms, {', '.join(endpoint.arms)}, and no other."
            )
        lone = FULL if len(places) == 1 else 0
        shadows = [arm for arm, place in places.items() if predictors[place].get("shadow")]
        shares = {arm: int(predictors[place].get("traffic", lone)) for arm, place in places.items()}
        return Rule(
            {arm: f"/spec/predictors/{place}/traffic" for arm, place in places.items()},
            {arm: 0 if arm in shadows else share for arm, share in shares.items()},
            unmirrored=tuple({"op": "remove", "path": f"/spec/predictors/{places[arm]}/shadow"} for arm in shadows),
        )

    def mirrored(self, rule: Rule, percent: int) -> list[dict[str, Any]]:
        candidate = rule.pointers["candidate"]
        return [
            {"op": "add", "path": candidate, "value": percent},
            {"op": "add", "path": candidate.replace("traffic", "shadow"), "value": True},
        ]

    def require_servable(self, manifest: Manifest, objects: Objects) -> None:
        predictors = [predictor for predictor in manifest["spec"]["predictors"] if not predictor.get("shadow")]
        weights = [predictor.get("traffic", 0) for predictor in predictors]
        if len(weights) > 1 and sum(weights) != FULL:
            raise InvalidSpec(
                f"SeldonDeployment {manifest['metadata']['name']}: the traffic of its predictors, {weights}, adds "
                f"up to {sum(weights)}, not to {FULL}."
            )
