"""Moving an endpoint's traffic by the weights in one object, whoever owns it, and proving that the traffic follows.

A kind of route says where its weights are. A route of our own is written whole; one that a person or Argo CD owns is
patched at its weights only, and only while they are as we have set them.
"""

import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seaway.errors import InvalidSpec, NameTaken, ObjectChanged, TrafficFailed
from seaway.platforms.kubernetes.client.connection import Connection, connected
from seaway.platforms.kubernetes.client.naming import endpoint_labels
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import is_of_endpoint, owner_reference
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, SERVICES, Manifest, Resource
from seaway.platforms.kubernetes.traffic import gateway as edge
from seaway.platforms.kubernetes.traffic.evidence import annotations, presented
from seaway.platforms.kubernetes.traffic.gateway import Gateway, Weights
from seaway.rollout.traffic import ALL_STABLE, require_mirrored
from seaway.rollout.warrant import Warrant
from seaway.serving import ARMS, DeployedEndpoint

FULL = 100  # per cent
ATTEMPTS = 5  # of a patch that others write at the same moment
PORT = 80  # of an arm's Service
REQUEST_S = 30  # how long the gateway waits for an arm, as on a laptop
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rule:
    """The part of an object that splits traffic: the JSON pointer of each arm's weight, and the weights now.

    `envoy_name` is what the gateway's Envoy calls it, empty where nobody knows; `unmirrored` the JSON patch that ends
    mirroring, where there is some; `shares` what is written where that is no weight, as the share that is mirrored.
    """

    pointers: Mapping[str, str]
    weights: Weights
    envoy_name: str = ""
    unmirrored: tuple[Mapping[str, Any], ...] = ()
    shares: Weights = field(default_factory=dict)

    def operations(self, weights: Weights) -> list[Mapping[str, Any]]:
        """The JSON patch that sets these weights and nothing else."""
        changed = [
            {"op": "add", "path": pointer, "value": weights.get(arm, 0)}
            for arm, pointer in self.pointers.items()
            if weights.get(arm, 0) != self.shares.get(arm, self.weights[arm])
        ]
        return [*self.unmirrored, *changed]


class RouteKind(ABC):
    """A kind of object that splits traffic."""

    resource: Resource
    ours = True  # whether Seaway makes such objects; where a controller does, only weights are patched

    @abstractmethod
    def build(
        self, endpoint: DeployedEndpoint, weights: Weights, mark: str, gateway: Gateway, mirrored: int = 0
    ) -> dict[str, Any]:
        """The object of an endpoint of ours; its answers carry `mark`, and `mirrored` per cent of its requests go to
        the candidate as well. Raises: TrafficFailed where such an object is never ours."""

    @abstractmethod
    def rule(self, manifest: Manifest, endpoint: DeployedEndpoint, name: str) -> Rule:
        """Where the weights of the endpoint's arms are; `name` tells which part, empty for an object of ours.

        Raises:
            TrafficFailed: no such part, or one that does not list the endpoint's arms.
        """

    @abstractmethod
    def require_servable(self, manifest: Manifest, objects: Objects) -> None:
        """Refuse, with InvalidSpec, what the API server takes and the gateway would never serve."""

    def mirrored(self, rule: Rule, percent: int) -> list[dict[str, Any]]:
        """The JSON patch of an object that is not ours, by which the candidate gets copies of requests."""
        raise TrafficFailed(
            f"A {self.resource.kind} that somebody else owns is patched at its weights only: let its owner mirror "
            "requests to the candidate."
        )

    def waits_for(self, manifest: Manifest, objects: Objects) -> str:
        """Why the gateway's controller does not yet serve the object as it was last written; empty where it does, or
        does not tell."""
        return ""


@dataclass(frozen=True)
class Named:
    """A route that somebody else owns: `SEAWAY_ROUTE=KIND/NAME#PART`."""

    name: str = ""
    part: str = ""

    @classmethod
    def of(cls, text: str, kind: str) -> "Named":
        """Raises: InvalidSpec where the text names no route of that kind."""
        if not text:
            return cls()
        given, _, rest = text.partition("/")
        name, _, part = rest.partition("#")
        if given.lower() != kind.lower() or not name:
            raise InvalidSpec(f"SEAWAY_ROUTE={text!r} names no {kind}: write {kind.lower()}/NAME#PART.")
        return cls(name, part)


def other_route(kind: str) -> str:
    """What a backend of this kind of route lacks where `SEAWAY_ROUTE` names one of another; else empty."""
    text = os.environ.get("SEAWAY_ROUTE", "")
    return "" if text.lower().startswith(f"{kind.lower()}/") or not text else f"a {kind} in SEAWAY_ROUTE={text}"


class RouteTraffic:
    """The Traffic port on one kind of route.

    Args:
        kind: of the object that has the weights.
        connection: to the namespace of the endpoint; by default this process's.
        gateway: by default as the environment says.
        named: a route that somebody else owns; by default `SEAWAY_ROUTE`.
    """

    def __init__(
        self,
        kind: RouteKind,
        connection: Connection | None = None,
        gateway: Gateway | None = None,
        named: str | None = None,
    ) -> None:
        self._kind, self._objects = kind, Objects(connection or connected())
        self._gateway = gateway or Gateway()
        text = os.environ.get("SEAWAY_ROUTE", "") if named is None else named
        self._named = Named.of(text, kind.resource.kind)
        self._ours: dict[str, list[Weights]] = {}  # by endpoint, what somebody else's route may say by our own doing

    def present(self, endpoint: DeployedEndpoint, warrant: Warrant) -> None:
        """Write the statement into the route's annotations; a route of somebody else is left as it is.

        Raises:
            TrafficFailed: there is no route.
            AdmissionRefused: a policy of the cluster does not let this process drive rollouts.
        """
        for _ in range(ATTEMPTS):
            found = self._found(endpoint)
            if found is None:
                raise TrafficFailed(f"{self._said(endpoint)} does not exist; deploy endpoint {endpoint.name} anew.")
            if not is_of_endpoint(found, endpoint.name):
                return
            value = {**found["metadata"].get("annotations", {}), **annotations(warrant)}
            try:
                self._objects.patch(
                    self._kind.resource, found, [{"op": "add", "path": "/metadata/annotations", "value": value}]
                )
                return
            except ObjectChanged as error:
                log.info("%s", error)
        raise TrafficFailed(f"{self._said(endpoint)} is written by others again and again; it shows no statement.")

    def presented(self, endpoint: DeployedEndpoint) -> Warrant | None:
        """What the annotations of the endpoint's own route claim; see `Traffic`."""
        found = self._found(endpoint)
        return presented(found) if found and is_of_endpoint(found, endpoint.name) else None

    def set_weights(self, endpoint: DeployedEndpoint, weights: Weights) -> None:
        """Split requests in per cent; returns once the gateway routes by these weights.

        Raises:
            TrafficFailed: the weights are impossible, somebody else has changed them, or the traffic does not follow.
            InvalidSpec: the gateway would never serve the route.
            NameTaken: the route belongs to somebody else and was not named by SEAWAY_ROUTE.
        """
        require_weights(endpoint, weights)
        wanted = {arm: weights.get(arm, 0) for arm in endpoint.arms}
        self._move(endpoint, wanted)

    def mirror(self, endpoint: DeployedEndpoint, percent: int) -> None:
        """See `Traffic`. Raises as `set_weights`; TrafficFailed also for a route that somebody else owns."""
        require_mirrored(endpoint, percent)
        self._move(endpoint, ALL_STABLE, percent)

    def weights(self, endpoint: DeployedEndpoint) -> dict[str, int]:
        """Per cent by arm: as the gateway's Envoy has them, or where that cannot be asked as the object says, whose
        mark the answers carry.

        Raises:
            TrafficFailed: there is no route, or its traffic does not follow it.
        """
        found = self._found(endpoint)
        if found is None:
            raise TrafficFailed(f"Endpoint {endpoint.name} has no {self._kind.resource.kind}; deploy it anew.")
        rule = self._kind.rule(found, endpoint, self._named.part)
        if self._gateway.admin:
            return self._gateway.split(endpoint, self._objects.namespace, rule.envoy_name)
        written, carried = found["metadata"].get("annotations", {}).get(edge.MARK, ""), edge.carried_mark(endpoint)
        if self._writes and written != carried:
            raise TrafficFailed(
                f"The answers of endpoint {endpoint.name} carry {edge.MARK} {carried or 'nothing'} and its route says "
                f"{written}: its traffic does not follow the route."
            )
        return dict(rule.weights)

    def remove(self, endpoint: DeployedEndpoint) -> None:
        """Delete the endpoint's route; one of somebody else is left as it is."""
        found = self._objects.get(self._kind.resource, endpoint.name)
        if found and self._writes and is_of_endpoint(found, endpoint.name):
            self._objects.delete(self._kind.resource, endpoint.name, found["metadata"]["uid"])

    def _move(self, endpoint: DeployedEndpoint, weights: Weights, mirrored: int = 0) -> None:
        """Write the weights and return once the gateway routes by them."""
        mark = str(time.time_ns())
        if self._writes:
            self._write(endpoint, weights, mark, mirrored)
            self._await_taken_up(endpoint, weights)
            edge.await_mark(endpoint, mark)
        else:
            before = self._patch(endpoint, weights, mirrored)
            self._await_taken_up(endpoint, weights)
            if not self._gateway.admin:
                edge.await_shift(endpoint, before, weights)

    def _write(self, endpoint: DeployedEndpoint, weights: Weights, mark: str, mirrored: int = 0) -> None:
        """Create or replace the route of our own."""
        built = self._kind.build(endpoint, weights, mark, self._gateway, mirrored)
        for _ in range(ATTEMPTS):
            found = self._standing(endpoint)
            if found is None or weights.get("candidate") or mirrored:  # the way back to stable is never barred
                self._kind.require_servable(built, self._objects)
            try:
                if found is None:
                    self._objects.create(self._kind.resource, of_record(self._objects, built, endpoint))
                else:
                    self._replace(endpoint, found, built)
                return
            except ObjectChanged as error:
                log.info("%s", error)
        raise self._contended(endpoint)

    def _standing(self, endpoint: DeployedEndpoint) -> dict[str, Any] | None:
        """The object that has the endpoint's name; one that is being deleted is waited for."""
        deadline = time.monotonic() + edge.FOLLOW_S
        while (found := self._objects.get(self._kind.resource, endpoint.name)) and _is_dying(found):
            edge.require_time(endpoint, deadline, f"{self._said(endpoint)} of before is still being deleted")
            time.sleep(edge.POLL_S)
        return found

    def _replace(self, endpoint: DeployedEndpoint, found: Manifest, built: Manifest) -> None:
        if not is_of_endpoint(found, endpoint.name):
            raise NameTaken(
                f"{self._said(endpoint)} belongs to somebody else and was left as it is. To move only the weights of a "
                f"route in it, set SEAWAY_ROUTE={self._kind.resource.kind.lower()}/{endpoint.name}#PART."
            )
        marked = {**found["metadata"].get("annotations", {}), **built["metadata"]["annotations"]}
        self._objects.patch(
            self._kind.resource,
            found,
            [
                {"op": "add", "path": "/metadata/annotations", "value": marked},
                {"op": "replace", "path": "/spec", "value": built["spec"]},
            ],
        )

    def _patch(self, endpoint: DeployedEndpoint, weights: Weights, mirrored: int = 0) -> Weights:
        """Set the weights of somebody else's route, unless they have changed since we set them."""
        for _ in range(ATTEMPTS):
            found = self._found(endpoint)
            if found is None:
                raise TrafficFailed(f"{self._said(endpoint)} does not exist.")
            rule = self._kind.rule(found, endpoint, self._named.part)
            ours = self._ours.setdefault(endpoint.name, [rule.weights])
            if rule.weights not in (*ours, weights):
                raise TrafficFailed(
                    f"{last_writer(found)} has set the weights of {self._said(endpoint)} to {dict(rule.weights)}; this "
                    f"rollout had set {dict(ours[-1])}. They were left as they are. If Argo CD set them back, let it "
                    "ignore the weights: docs/how-to/route-by-istio.md says how."
                )
            if weights.get("candidate") or mirrored:
                self._kind.require_servable(found, self._objects)
            operations = [*rule.operations(weights), *(self._kind.mirrored(rule, mirrored) if mirrored else ())]
            ours.append(weights)  # a patch whose answer is lost may have been carried out
            try:
                if operations:
                    self._change(endpoint, found, operations)
                self._ours[endpoint.name] = [weights]
                return ours[0]
            except ObjectChanged as error:
                log.info("%s", error)
        raise self._contended(endpoint)

    def _contended(self, endpoint: DeployedEndpoint) -> TrafficFailed:
        return TrafficFailed(f"{self._said(endpoint)} is written by others again and again; its weights were not set.")

    def _change(self, endpoint: DeployedEndpoint, found: Manifest, operations: list[Mapping[str, Any]]) -> None:
        """Carry a JSON patch out on the route as it was read. Raises: ObjectChanged: it is another one by now."""
        self._objects.patch(self._kind.resource, found, operations)

    def _await_taken_up(self, endpoint: DeployedEndpoint, wanted: Weights, within_s: float | None = None) -> None:
        deadline = time.monotonic() + (edge.FOLLOW_S if within_s is None else within_s)
        while lacking := self._lacking(endpoint, wanted):
            edge.require_time(endpoint, deadline, lacking)
            time.sleep(edge.POLL_S)

    def _lacking(self, endpoint: DeployedEndpoint, wanted: Weights) -> str:
        """What keeps the gateway from routing by these weights, as its controller and its Envoy say."""
        found = self._found(endpoint)
        if found is None:
            return f"{self._said(endpoint)} is gone"
        if why := self._kind.waits_for(found, self._objects):
            return f"{self._said(endpoint)}: {why}"
        if not self._gateway.admin:
            return ""
        try:
            name = self._kind.rule(found, endpoint, self._named.part).envoy_name
            now = self._gateway.split(endpoint, self._objects.namespace, name)
        except TrafficFailed as error:
            return str(error)
        return "" if now == wanted else f"the gateway's Envoy has {now}, not {dict(wanted)}"

    @property
    def _writes(self) -> bool:
        """Whether the route is our own."""
        return self._kind.ours and not self._named.name

    def _found(self, endpoint: DeployedEndpoint) -> dict[str, Any] | None:
        return self._objects.get(self._kind.resource, self._named.name or endpoint.name)

    def _said(self, endpoint: DeployedEndpoint) -> str:
        return f"{self._kind.resource.kind} {self._objects.namespace}/{self._named.name or endpoint.name}"


def require_weights(endpoint: DeployedEndpoint, weights: Weights) -> None:
    """Refuse, with TrafficFailed, all but whole per cents of existing arms that add up to 100."""
    whole = all(isinstance(weight, int) and not isinstance(weight, bool) for weight in weights.values())
    unknown = sorted(weights.keys() - endpoint.arms.keys() - {arm for arm, weight in weights.items() if not weight})
    if not whole or unknown or sum(weights.values()) != FULL or min(weights.values(), default=-1) < 0:
        raise TrafficFailed(
            f"Weights {dict(weights)} for endpoint {endpoint.name} with arms {sorted(endpoint.arms)}: they must be "
            "whole per cents of existing arms that add up to 100."
        )


def require_service(field: str, name: str, port: int | None, objects: Objects) -> None:
    """Refuse, with InvalidSpec, a Service or a port of it that there is not."""
    found = objects.get(SERVICES, name)
    if found is None:
        raise InvalidSpec(
            f"{field}: there is no Service {name} in namespace {objects.namespace}; each request there would get an "
            f"error. `kubectl get services -n {objects.namespace}` lists those that there are."
        )
    ports = [entry["port"] for entry in found["spec"]["ports"]]
    if port not in ports and (port or len(ports) > 1):
        raise InvalidSpec(f"{field}: Service {name} has ports {ports}; name one of them.")


def last_writer(manifest: Manifest) -> str:
    """Who wrote the object's spec last, as the API server recorded it."""
    writers = [
        entry for entry in manifest["metadata"].get("managedFields", ()) if "f:spec" in entry.get("fieldsV1", {})
    ]
    newest: Manifest = max(writers, key=lambda entry: str(entry.get("time", "")), default={})
    return str(newest.get("manager", "somebody else"))


def named_arms(endpoint: DeployedEndpoint) -> list[str]:
    """The arms of the endpoint, stable first."""
    return [arm for arm in ARMS if arm in endpoint.arms]


def marked(endpoint: DeployedEndpoint, mark: str) -> dict[str, Any]:
    """Metadata of a route of our own."""
    return {"name": endpoint.name, "labels": endpoint_labels(endpoint.name), "annotations": {edge.MARK: mark}}


def _is_dying(found: Manifest) -> bool:
    return "deletionTimestamp" in found["metadata"]


def of_record(objects: Objects, built: Manifest, endpoint: DeployedEndpoint) -> dict[str, Any]:
    """`built`, to go with the endpoint's record where there is one."""
    record = objects.get(CONFIG_MAPS, f"{endpoint.name}-endpoint")
    if record is None:
        return dict(built)
    return {**built, "metadata": {**built["metadata"], "ownerReferences": [owner_reference(CONFIG_MAPS, record)]}}
