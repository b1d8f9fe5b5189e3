"""Moving an endpoint's traffic by the weights in one object, whoever owns it, and proving that the traffic follows.

A kind of route says where its weights are. A route of our own is written whole; one that a person or Argo CD owns is
patched at its weights only, and only while they are as we have set them.
"""

import copy
import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec, NameTaken, ObjectChanged, TrafficFailed
from seaway.platforms.kubernetes import gateway as edge
from seaway.platforms.kubernetes.connection import Connection, connect
from seaway.platforms.kubernetes.gateway import Gateway, Weights
from seaway.platforms.kubernetes.naming import MANAGED_BY
from seaway.platforms.kubernetes.objects import Objects
from seaway.platforms.kubernetes.resources import CONFIG_MAPS, Manifest, Resource
from seaway.serving import ARMS, DeployedEndpoint

ENDPOINT = "seaway.dev/endpoint"
FULL = 100  # per cent
ATTEMPTS = 5  # of a patch that others write at the same moment
REQUEST_S = 30  # how long the gateway waits for an arm, as on a laptop
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rule:
    """The part of an object that splits traffic: the JSON pointer of each arm's weight, and the weights now."""

    pointers: Mapping[str, str]
    weights: Weights

    def operations(self, weights: Weights) -> list[dict[str, Any]]:
        """The JSON patch that sets these weights and nothing else."""
        return [
            {"op": "add", "path": pointer, "value": weights.get(arm, 0)}
            for arm, pointer in self.pointers.items()
            if weights.get(arm, 0) != self.weights[arm]
        ]


class RouteKind(ABC):
    """A kind of object that splits traffic."""

    resource: Resource

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

    def require_taken_up(self, manifest: Manifest, objects: Objects) -> bool:
        """Whether the gateway's controller serves the object as it was last written; TrafficFailed if it never will."""
        return True


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
        self._kind, self._objects = kind, Objects(connection or connect())
        self._gateway = gateway or Gateway()
        text = os.environ.get("SEAWAY_ROUTE", "") if named is None else named
        self._named = Named.of(text, kind.resource.kind)
        self._set: dict[str, Weights] = {}  # by endpoint, what this process has set

    def set_weights(self, endpoint: DeployedEndpoint, weights: Weights) -> None:
        """Split requests in per cent; returns once the gateway routes by these weights.

        Raises:
            TrafficFailed: the weights are impossible, somebody else has changed them, or the traffic does not follow.
            InvalidSpec: the gateway would never serve the route.
            NameTaken: the route belongs to somebody else and was not named by SEAWAY_ROUTE.
        """
        require_weights(endpoint, weights)
        wanted = {arm: weights.get(arm, 0) for arm in endpoint.arms}
        mark = str(time.time_ns())
        before = self._patch(endpoint, wanted) if self._named.name else self._write(endpoint, wanted, mark)
        self._follow(endpoint, before, wanted, mark)
        self._set[endpoint.name] = wanted

    def mirror(self, endpoint: DeployedEndpoint, percent: int) -> None:
        """Shadow mode: stable answers all requests, and the candidate gets a copy of some, whose answers nobody sees.

        New weights end it. Raises as `set_weights`; TrafficFailed also for a route that somebody else owns.
        """
        if self._named.name or "candidate" not in endpoint.arms or not 0 < percent <= FULL:
            raise TrafficFailed(
                f"{percent} % of the requests of endpoint {endpoint.name} cannot be mirrored: that takes a route of "
                "our own, a candidate, and a whole per cent from 1 to 100."
            )
        mark, wanted = str(time.time_ns()), {"stable": FULL, "candidate": 0}
        before = self._write(endpoint, wanted, mark, percent)
        self._follow(endpoint, before, wanted, mark)
        self._set[endpoint.name] = wanted

    def weights(self, endpoint: DeployedEndpoint) -> dict[str, int]:
        """Per cent by arm: as the gateway's Envoy has them, or where that cannot be asked as the object says, whose
        mark the answers carry.

        Raises:
            TrafficFailed: there is no route, or its traffic does not follow it.
        """
        if self._gateway.admin:
            return self._gateway.split(endpoint, self._objects.namespace)
        found = self._found(endpoint)
        if found is None:
            raise TrafficFailed(f"Endpoint {endpoint.name} has no {self._kind.resource.kind}; deploy it anew.")
        written, carried = found["metadata"].get("annotations", {}).get(edge.MARK, ""), edge.carried_mark(endpoint)
        if written != carried and not self._named.name:
            raise TrafficFailed(
                f"The answers of endpoint {endpoint.name} carry {edge.MARK} {carried or 'nothing'} and its route says "
                f"{written}: its traffic does not follow the route."
            )
        return dict(self._kind.rule(found, endpoint, self._named.part).weights)

    def remove(self, endpoint: DeployedEndpoint) -> None:
        """Delete the endpoint's route; one of somebody else is left as it is."""
        found = self._objects.get(self._kind.resource, endpoint.name)
        if found and not self._named.name and _ours(found, endpoint):
            self._objects.delete(self._kind.resource, endpoint.name, found["metadata"]["uid"])

    def _write(self, endpoint: DeployedEndpoint, weights: Weights, mark: str, mirrored: int = 0) -> Weights:
        """Create or replace the route of our own."""
        built = self._kind.build(endpoint, weights, mark, self._gateway, mirrored)
        self._kind.require_servable(built, self._objects)
        for _ in range(ATTEMPTS):
            found = self._objects.get(self._kind.resource, endpoint.name)
            try:
                if found is None:
                    self._objects.create(self._kind.resource, _owned(self._objects, built, endpoint))
                    return {}
                return self._replace(endpoint, found, built)
            except ObjectChanged as error:
                log.info("%s", error)
        raise TrafficFailed(f"{self._said(endpoint)} is written by others again and again; its weights were not set.")

    def _replace(self, endpoint: DeployedEndpoint, found: Manifest, built: Manifest) -> Weights:
        if not _ours(found, endpoint):
            raise NameTaken(
                f"{self._said(endpoint)} belongs to somebody else and was left as it is. To move only the weights of a "
                f"route in it, set SEAWAY_ROUTE={self._kind.resource.kind.lower()}/{endpoint.name}#PART."
            )
        before = self._kind.rule(found, endpoint, "").weights
        if self._set.get(endpoint.name, before) != before:
            log.warning("%s: %s has changed its weights to %s", self._said(endpoint), last_writer(found), dict(before))
        marked = {**found["metadata"].get("annotations", {}), **built["metadata"]["annotations"]}
        self._objects.patch(
            self._kind.resource,
            found,
            [
                {"op": "add", "path": "/metadata/annotations", "value": marked},
                {"op": "replace", "path": "/spec", "value": built["spec"]},
            ],
        )
        return before

    def _patch(self, endpoint: DeployedEndpoint, weights: Weights) -> Weights:
        """Set the weights of somebody else's route, unless they have changed since we set them."""
        for _ in range(ATTEMPTS):
            found = self._found(endpoint)
            if found is None:
                raise TrafficFailed(f"{self._said(endpoint)}, which SEAWAY_ROUTE names, does not exist.")
            rule = self._kind.rule(found, endpoint, self._named.part)
            before = self._set.get(endpoint.name, rule.weights)
            if rule.weights not in (before, weights):
                raise TrafficFailed(
                    f"{last_writer(found)} has set the weights of {self._said(endpoint)} to {dict(rule.weights)}; this "
                    f"rollout had set {dict(before)}. They were left as they are. If Argo CD set them back, let it "
                    "ignore the weights: docs/how-to/route-by-istio.md says how."
                )
            self._kind.require_servable(_patched(found, rule.operations(weights)), self._objects)
            try:
                if operations := rule.operations(weights):
                    self._objects.patch(self._kind.resource, found, operations)
                return rule.weights
            except ObjectChanged as error:
                log.info("%s", error)
        raise TrafficFailed(f"{self._said(endpoint)} is written by others again and again; its weights were not set.")

    def _follow(self, endpoint: DeployedEndpoint, before: Weights, wanted: Weights, mark: str) -> None:
        deadline = time.monotonic() + edge.FOLLOW_S
        while not self._taken_up(endpoint):
            edge.require_time(endpoint, deadline, f"{self._said(endpoint)} is not yet taken up")
            time.sleep(edge.POLL_S)
        while self._gateway.admin and (now := self._split(endpoint)) != wanted:
            edge.require_time(endpoint, deadline, f"its Envoy has {now or 'no route'}, not {dict(wanted)}")
            time.sleep(edge.POLL_S)
        if not self._named.name:
            edge.await_mark(endpoint, mark)
        elif not self._gateway.admin:
            edge.await_shift(endpoint, before, wanted)

    def _taken_up(self, endpoint: DeployedEndpoint) -> bool:
        found = self._found(endpoint)
        return found is not None and self._kind.require_taken_up(found, self._objects)

    def _split(self, endpoint: DeployedEndpoint) -> Weights:
        try:
            return self._gateway.split(endpoint, self._objects.namespace)
        except TrafficFailed as error:
            log.debug("%s", error)
            return {}

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


def labels(endpoint: DeployedEndpoint) -> dict[str, str]:
    """Labels of what belongs to an endpoint."""
    return {"app.kubernetes.io/name": endpoint.name, MANAGED_BY: "seaway", ENDPOINT: endpoint.name}


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
    return {"name": endpoint.name, "labels": labels(endpoint), "annotations": {edge.MARK: mark}}


def _patched(found: Manifest, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The object as these operations, which set members of objects that are there, will leave it."""
    patched = copy.deepcopy(dict(found))
    for operation in operations:
        *above, last = operation["path"].strip("/").split("/")
        place: Any = patched
        for step in above:
            place = place[int(step) if isinstance(place, list) else step]
        place[last] = operation["value"]
    return patched


def _ours(found: Manifest, endpoint: DeployedEndpoint) -> bool:
    marks = found["metadata"].get("labels", {})
    return bool(marks.get(MANAGED_BY) == "seaway" and marks.get(ENDPOINT) == endpoint.name)


def _owned(objects: Objects, built: dict[str, Any], endpoint: DeployedEndpoint) -> dict[str, Any]:
    """`built`, to go with the endpoint's record where there is one."""
    record = objects.get(CONFIG_MAPS, f"{endpoint.name}-endpoint")
    if record is None:
        return built
    owner = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": record["metadata"]["name"],
        "uid": record["metadata"]["uid"],
    }
    return {**built, "metadata": {**built["metadata"], "ownerReferences": [owner]}}
