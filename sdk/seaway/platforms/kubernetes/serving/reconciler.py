"""Making an endpoint's objects what its record wants: bring arms up, lead Services to them, end what is wanted no more.

Each call may be repeated: what is there already stays as it is. Nobody else's object is touched.
"""

import logging
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from seaway.errors import EndpointFailed, KindMissing, NameTaken, ObjectChanged
from seaway.model_server.arm import PORT
from seaway.platforms.kubernetes.client.api_errors import ApiCall
from seaway.platforms.kubernetes.client.naming import ENDPOINT, MANAGED_BY, endpoint_labels
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import is_of_endpoint, owner_reference
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, PODS, SERVICES, Manifest, Resource
from seaway.platforms.kubernetes.jobs.pod_logs import to_log
from seaway.platforms.kubernetes.jobs.wait import LOOK_S, JobWait, Patience
from seaway.platforms.kubernetes.serving import endpoint_slices, server_pod
from seaway.platforms.kubernetes.serving.readiness import Readiness, is_ready
from seaway.platforms.kubernetes.serving.record import Record
from seaway.platforms.kubernetes.serving.workload import SERVICE_PORT, Weights, Workload
from seaway.serving import callers

SECRETS = Resource("", "v1", "secrets", "Secret")
TOKEN_BYTES = 32
HTTP2 = "kubernetes.io/h2c"  # a gateway that speaks HTTP/1.1 to a server would lose gRPC's trailers
START_S = 300.0  # for scheduling and pulling images, on top of the model's own start
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """The objects of one endpoint; `record` is its ConfigMap."""

    objects: Objects
    workload: Workload
    patience: Patience
    record: Manifest

    def bring_up(self, wanted: Record, weights: Weights) -> None:
        """Have the pods of all arms run and answer.

        Raises:
            PackageRefused: a package does not verify in its pod.
            EndpointFailed, PodsStuck, TimedOut, OperatorMissing, ObjectDeleted: they will not answer.
        """
        name, owners = wanted.name, self.workload.pods_by_owner(wanted.name, wanted.arms)
        timeout_s = START_S + max(served.arm.startup_timeout_s for served in wanted.arms.values())
        with ExitStack() as stack:
            waits = [
                Readiness(self.objects, self.workload.kind, owner, to_log, timeout_s, self.patience, wanted=pods)
                for owner, pods in owners.items()
            ]
            for wait in waits:
                stack.enter_context(wait)
            applied = {
                manifest["metadata"]["name"]: manifest
                for manifest in self.apply(self.workload.objects(name, wanted.arms, weights), name)
                if manifest["kind"] == self.workload.kind.resource.kind
            }
            for wait in waits:
                wait.reached(applied[wait.name])

    def put(self, wanted: Record, weights: Weights) -> None:
        """Write the objects of these arms without waiting for anything."""
        self.apply(self.workload.objects(wanted.name, wanted.arms, weights), wanted.name)

    def require_pods(self, wanted: Record, arm: str) -> None:
        """Raises: EndpointFailed: no pod of the arm's version is ready, so nothing would answer there."""
        version = wanted.arms[arm].version
        selector = f"{ENDPOINT}={wanted.name},{server_pod.VERSION}={version}"
        if not any(is_ready(pod) for pod in self.objects.list(PODS, {"labelSelector": selector}).items):
            raise EndpointFailed(
                f"No pod of version {version}, the {arm} of endpoint {wanted.name}, is ready; its traffic was left as "
                f"it is. `kubectl describe pods -n {self.objects.namespace} -l {selector}` shows why."
            )

    def apply(self, manifests: Iterable[Manifest], name: str) -> list[dict[str, Any]]:
        """Create or change objects of the endpoint. Raises: NameTaken: one is somebody else's."""
        resources = {resource.kind: resource for resource in (*self.workload.resources, SERVICES)}
        return [self._apply(resources[manifest["kind"]], manifest, name) for manifest in manifests]

    def lead(self, wanted: Record) -> None:
        """Have the Service of each arm lead to its version's pods, and to no others once this returns."""
        if self.workload.traffic:
            return
        self.apply([service(wanted.name, arm, served.version) for arm, served in wanted.arms.items()], wanted.name)
        for arm, served in wanted.arms.items():
            endpoint_slices.await_version(self.objects, wanted.name, f"{wanted.name}-{arm}", served.version)

    def prune(self, wanted: Record, weights: Weights) -> None:
        """End what belongs to the endpoint and is not wanted; its pods have answered their last requests then."""
        name = wanted.name
        kept = {
            (manifest["kind"], manifest["metadata"]["name"])
            for manifest in [
                *self.workload.objects(name, wanted.arms, weights),
                *(service(name, arm, served.version) for arm, served in wanted.arms.items()),
            ]
        }
        with ExitStack() as stack:
            ends: list[JobWait] = []
            for resource in (SERVICES, *reversed(self.workload.resources)):
                for found in self._listed(resource, name):
                    if (resource.kind, found["metadata"]["name"]) in kept:
                        continue
                    if resource == self.workload.kind.resource:
                        ends.append(self._end(stack, found["metadata"]["name"]))
                    self.objects.delete(resource, found["metadata"]["name"], found["metadata"]["uid"])
            await_ends(ends)
        self._await_strays(wanted)

    def delete(self, wanted: Record) -> None:
        """End the endpoint with all that belongs to it: it is owned by the record."""
        with ExitStack() as stack:
            ends = [self._end(stack, owner) for owner in self.workload.pods_by_owner(wanted.name, wanted.arms)]
            metadata = self.record["metadata"]
            self.objects.delete(CONFIG_MAPS, metadata["name"], metadata["uid"])
            await_ends(ends)
        self._forget_token(wanted.name)

    def token(self, name: str) -> str:
        """The endpoint's own bearer token, made on first use. Raises: NameTaken: the Secret is somebody else's."""
        while (found := self._tokens()) is None or name not in found.get("data", {}):
            made = b64encode(secrets.token_urlsafe(TOKEN_BYTES).encode()).decode()
            try:
                self._keep_token(found, name, made)
            except (NameTaken, ObjectChanged) as error:  # by another endpoint at the same moment
                log.debug("%s", error)
        return callers.split(b64decode(found["data"][name]).decode())[0]

    def _tokens(self) -> dict[str, Any] | None:
        found = self.objects.get(SECRETS, server_pod.SECRET)
        if found and found["metadata"].get("labels", {}).get(MANAGED_BY) != "seaway":
            raise NameTaken(
                f"Secret {self.objects.namespace}/{server_pod.SECRET} belongs to somebody else and was left as it is; "
                "the tokens of Seaway's endpoints need that name."
            )
        return found

    def _keep_token(self, found: Manifest | None, name: str, text: str) -> None:
        if found is None:
            metadata = {"name": server_pod.SECRET, "labels": {MANAGED_BY: "seaway"}}
            made = {"apiVersion": "v1", "kind": SECRETS.kind, "metadata": metadata, "data": {name: text}}
            self.objects.create(SECRETS, made)
        else:
            self.objects.patch(
                SECRETS, found, [{"op": "add", "path": "/data", "value": {**found.get("data", {}), name: text}}]
            )

    def _forget_token(self, name: str) -> None:
        while (found := self._tokens()) is not None and name in found.get("data", {}):
            try:
                self.objects.patch(SECRETS, found, [{"op": "remove", "path": f"/data/{name}"}])
            except ObjectChanged as error:
                log.debug("%s", error)

    def _apply(self, resource: Resource, manifest: Manifest, name: str) -> dict[str, Any]:
        ours = self._owned(manifest, name)
        if resource == self.workload.kind.resource:
            self.workload.preflight(ours)
        if found := self.objects.get(resource, manifest["metadata"]["name"]):
            self._require_ours(resource, found, name)
        return self.objects.apply(resource, ours, found)

    def _owned(self, manifest: Manifest, name: str) -> dict[str, Any]:
        given = manifest["metadata"]
        metadata = {
            **given,
            "labels": endpoint_labels(name),
            "ownerReferences": [owner_reference(CONFIG_MAPS, self.record)],
        }
        return {**manifest, "metadata": metadata}

    def _require_ours(self, resource: Resource, found: Manifest, name: str) -> None:
        if is_of_endpoint(found, name):
            return
        call = ApiCall("get", resource, self.objects.namespace, found["metadata"]["name"])
        raise NameTaken(
            f"{call} belongs to somebody else and was left as it is; endpoint {name} needs that name. Call the "
            f"endpoint something else; `kubectl get {call.kubectl_target} --show-labels` shows whose that is."
        )

    def _listed(self, resource: Resource, name: str) -> list[dict[str, Any]]:
        """Objects of ours; a workload's controller may give its own the labels of ours, but not the record as owner."""
        query = {"labelSelector": f"{MANAGED_BY}=seaway,{ENDPOINT}={name}"}
        uid = self.record["metadata"]["uid"]
        try:
            items = self.objects.list(resource, query).items
        except KindMissing:
            if resource == self.workload.kind.resource:
                raise
            return []  # as a route's on a cluster without Istio
        return [
            item
            for item in items
            if any(reference["uid"] == uid for reference in item["metadata"].get("ownerReferences", ()))
        ]

    def _await_strays(self, wanted: Record) -> None:
        """Return once the pods have gone that end although their object stays. Raises: EndpointFailed: not in time."""
        selector, deadline = self.workload.strays(wanted.name, wanted.arms), time.monotonic() + self.patience.cleanup_s
        while selector and (pods := self.objects.list(PODS, {"labelSelector": selector}).items):
            if time.monotonic() > deadline:
                raise EndpointFailed(
                    f"Pods of endpoint {wanted.name} that are wanted no more are still there after "
                    f"{self.patience.cleanup_s:g} s: {', '.join(pod['metadata']['name'] for pod in pods)}. Does "
                    f"{self.workload.kind.controller} run? `kubectl get pods -n {self.objects.namespace} -l "
                    f"'{selector}'` shows them."
                )
            time.sleep(LOOK_S)

    def _end(self, stack: ExitStack, name: str) -> JobWait:
        return stack.enter_context(JobWait(self.objects, self.workload.kind, name, unheard, 0.0, self.patience))


def unheard(pod: str, line: str) -> None:
    """Nobody listens to a pod that ends."""


def await_ends(ends: Iterable[JobWait]) -> None:
    """Return once these objects and their pods are gone. Raises: EndpointFailed: one is not in time."""
    for end in ends:
        if not end.wait_deleted():
            raise EndpointFailed(
                f"{end.call} or its pods are still being deleted after {end.patience.cleanup_s:g} s. "
                f"`kubectl get {end.call.kubectl_target} -o yaml` shows what that waits for."
            )


def service(name: str, arm: str, version: str) -> dict[str, Any]:
    """The Service of an arm."""
    selector: Mapping[str, str] = {ENDPOINT: name, server_pod.VERSION: version}
    ports = [{"name": "http", "port": SERVICE_PORT, "targetPort": PORT, "protocol": "TCP", "appProtocol": HTTP2}]
    return {
        "apiVersion": "v1",
        "kind": SERVICES.kind,
        "metadata": {"name": f"{name}-{arm}"},
        "spec": {"selector": dict(selector), "ports": ports},
    }
