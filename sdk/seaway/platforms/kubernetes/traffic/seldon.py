"""Traffic by `predictors[].traffic` of SeldonDeployment NAME, whose predictors are called as the arms.

With Istio, Seldon's operator writes VirtualService NAME from it; a second one for the same paths would compete, so only
the predictors are touched. It calls Services NAME-PREDICTOR and subsets PREDICTOR, so the gateway tells arms as ever.

The operator writes that route only while all pods of all predictors are ready. So the way back to stable does not wait
for a candidate that has lost pods: the candidate is taken out of the object in the same write. The way forth does, and
says whose pods are missing.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from seaway.errors import InvalidSpec, ObjectChanged, TrafficFailed
from seaway.platforms.kubernetes.client.applied import applied, patched
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import is_of_endpoint
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, Manifest
from seaway.platforms.kubernetes.traffic import gateway as edge
from seaway.platforms.kubernetes.traffic.evidence import DRIVES
from seaway.platforms.kubernetes.traffic.gateway import Gateway, NotFollowed, Weights
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon_operator import (
    SELDON_DEPLOYMENTS,
    lacking_pods,
    routed_split,
    written_split,
)
from seaway.platforms.kubernetes.traffic.weighted_route import ATTEMPTS, FULL, RouteKind, RouteTraffic, Rule
from seaway.rollout.traffic import ALL_STABLE
from seaway.serving import DeployedEndpoint

TOGGLED_S = 300.0  # a predictor that becomes a shadow, or is one no more, gets new pods, which load their model first
log = logging.getLogger(__name__)


class SeldonTraffic(RouteTraffic):
    """Weights in a SeldonDeployment."""

    permissions = (
        Permission(SELDON_DEPLOYMENTS, ("get", "patch"), "seldon: the predictors' weights"),
        Permission(VIRTUAL_SERVICES, ("get",), "seldon: whether its operator has written the route"),
        Permission(DEPLOYMENTS, ("list",), "seldon: which pods its operator waits for"),
        DRIVES,
    )

    def __init__(
        self, connection: Connection | None = None, gateway: Gateway | None = None, named: str | None = None
    ) -> None:
        super().__init__(SeldonDeployments(), connection, gateway, named)

    @classmethod
    def missing(cls) -> str:
        """It moves the weights of endpoints that Seldon itself routes to, so it is taken where somebody names it."""
        return "a setting that names it"

    def _move(self, endpoint: DeployedEndpoint, weights: Weights, mirrored: int = 0) -> None:
        if weights.get("candidate") or mirrored:
            self._shift(endpoint, weights, mirrored)
        else:
            self._go_back(endpoint)

    def weights(self, endpoint: DeployedEndpoint) -> dict[str, int]:
        """As the gateway's Envoy has them, or where that cannot be asked as the operator has written its route.

        Raises:
            TrafficFailed: there is no such object.
        """
        routed = None if self._gateway.admin else routed_split(endpoint.name, self._objects)
        return (
            super().weights(endpoint) if routed is None else {arm: routed.weights.get(arm, 0) for arm in endpoint.arms}
        )

    def _go_back(self, endpoint: DeployedEndpoint) -> None:
        """All traffic to stable; without the candidate, where requests reach it and the operator waits for its pods."""
        found = self._existing(endpoint)
        now = routed_split(endpoint.name, self._objects) or written_split(found)
        exposed = bool(now.weights.get("candidate") or now.mirrored)
        if exposed and (lacking := lacking_pods(found, self._objects, "candidate")):
            self._take_out(endpoint, lacking)
        try:
            self._shift(endpoint, _back(endpoint))
        except NotFollowed as error:
            if not exposed or not self._take_out(endpoint, str(error)):
                raise
            self._shift(endpoint, _back(endpoint))

    def _shift(self, endpoint: DeployedEndpoint, weights: Weights, mirrored: int = 0) -> None:
        found = self._existing(endpoint)
        _require_predictors(found, weights, mirrored)
        routed = routed_split(endpoint.name, self._objects)
        toggled = bool(mirrored) != bool(written_split(found).mirrored)
        written = self._patch(endpoint, weights, mirrored)
        self._await_taken_up(endpoint, weights, TOGGLED_S if toggled else None)
        if not self._gateway.admin:
            before = written if routed is None else routed.weights
            edge.await_shift(endpoint, {arm: before.get(arm, 0) for arm in weights}, weights)
        edge.await_answers(endpoint, {arm for arm, weight in weights.items() if weight})

    def _existing(self, endpoint: DeployedEndpoint) -> dict[str, Any]:
        found = self._found(endpoint)
        if found is None:
            raise TrafficFailed(f"{self._said(endpoint)} does not exist.")
        return found

    def _take_out(self, endpoint: DeployedEndpoint, why: str) -> bool:
        """Take the candidate out of an object of ours, in the write that gives stable all traffic; whether it was."""
        for _ in range(ATTEMPTS):
            found = self._existing(endpoint)
            alone = [{**one, "traffic": FULL} for one in found["spec"]["predictors"] if one["name"] == "stable"]
            if len(alone) == len(found["spec"]["predictors"]) or not is_of_endpoint(found, endpoint.name):
                return False
            try:
                self._apply(found, alone)
            except ObjectChanged as error:  # by its operator, which writes how its pods are
                log.info("%s", error)
                continue
            log.warning("The candidate of endpoint %s was taken out; stable gets all traffic: %s", endpoint.name, why)
            return True
        raise self._contended(endpoint)

    def _change(self, endpoint: DeployedEndpoint, found: Manifest, operations: list[Mapping[str, Any]]) -> None:
        """An object of ours is applied, as it is when it is made: its predictors are one field, of one manager."""
        if is_of_endpoint(found, endpoint.name):
            self._apply(found, patched(found, operations)["spec"]["predictors"])
        else:
            super()._change(endpoint, found, operations)

    def _apply(self, found: Manifest, predictors: Sequence[Mapping[str, Any]]) -> None:
        ours = applied(found)
        spec = {**ours["spec"], "predictors": predictors}
        self._objects.reapply(self._kind.resource, found, {**ours, "spec": spec})


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
        if "stable" not in places or places.keys() - endpoint.arms.keys():
            raise TrafficFailed(
                f"SeldonDeployment {manifest['metadata']['name']} has predictors {', '.join(places)}; endpoint "
                f"{endpoint.name} needs one called as each of its arms, {', '.join(endpoint.arms)}, and no other."
            )
        lone = FULL if len(places) == 1 else 0
        shadows = [arm for arm, place in places.items() if predictors[place].get("shadow")]
        shares = {arm: int(predictors[place].get("traffic", lone)) for arm, place in places.items()}
        none = dict.fromkeys(endpoint.arms.keys() - places.keys(), 0)
        return Rule(
            {arm: f"/spec/predictors/{place}/traffic" for arm, place in places.items()},
            {**{arm: 0 if arm in shadows else share for arm, share in shares.items()}, **none},
            unmirrored=tuple({"op": "remove", "path": f"/spec/predictors/{places[arm]}/shadow"} for arm in shadows),
            shares=shares,
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

    def waits_for(self, manifest: Manifest, objects: Objects) -> str:
        name, wanted = manifest["metadata"]["name"], written_split(manifest)
        now = routed_split(name, objects)
        if now is None or now == wanted:
            return ""
        lacking = "; ".join(filter(None, (lacking_pods(manifest, objects, arm) for arm in wanted.weights)))
        return (
            f"Seldon's operator has VirtualService {name} lead to {now}, not to {wanted}. It writes it only while all "
            f"pods of all predictors are ready: {lacking or 'they are, so does the operator run?'}"
        )


def _back(endpoint: DeployedEndpoint) -> dict[str, int]:
    return {arm: ALL_STABLE[arm] for arm in endpoint.arms}


def _require_predictors(found: Manifest, weights: Weights, mirrored: int) -> None:
    needed = {arm for arm, weight in weights.items() if weight} | ({"candidate"} if mirrored else set())
    if lacking := needed - {one["name"] for one in found["spec"]["predictors"]}:
        raise TrafficFailed(
            f"SeldonDeployment {found['metadata']['name']} has no predictor {', '.join(sorted(lacking))}: it was taken "
            "out when all traffic had to go to stable and its pods were missing. Deploy the endpoint again."
        )
