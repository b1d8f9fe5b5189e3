"""kube-controller-manager and the kubelet, played in one namespace: Deployments have pods, Services lead to them.

A test says which pods never get ready; a ResourceQuota is the API server's own to enforce, once its status says so.
"""

import hashlib
import json
import secrets
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from controllers import playing
from kubernetes import client
from kubernetes.client import ApiException
from seaway.platforms.kubernetes.client.objects import APPLY, Objects
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, PODS, SERVICES, Resource
from seaway.platforms.kubernetes.serving.endpoint_slices import SERVICE_NAME, SLICES
from seaway.platforms.kubernetes.serving.workload import BUDGETS

CONTROLLERS = {"fieldManager": "controllers", "force": "true"}
HASH = "pod-template-hash"
START_S = 1.0  # until a pod is ready


@dataclass
class Workloads:
    """What runs; `sick` are texts: a pod that has one among its labels' values is never ready."""

    objects: Objects
    sick: set[str] = field(default_factory=set)
    began: dict[str, float] = field(default_factory=dict)
    writer: "Writer" = field(init=False)

    def __post_init__(self) -> None:
        self.writer = Writer(self.objects)

    def played(self) -> AbstractContextManager[None]:
        return playing(self.reconcile)

    def reconcile(self) -> None:
        for deployment in self.objects.list(DEPLOYMENTS).items:
            if "deletionTimestamp" not in deployment["metadata"]:
                self.deploy(deployment)
        pods = self.objects.list(PODS).items
        for service in self.objects.list(SERVICES).items:
            self.lead(service, pods)
        for budget in self.objects.list(BUDGETS).items:
            self.count(budget, pods)

    def deploy(self, deployment: dict[str, Any]) -> None:
        """New pods first, then those of another template go."""
        wanted, mark = deployment["spec"].get("replicas", 1), digest(deployment["spec"]["template"])
        pods = [one for one in self.objects.list(PODS).items if is_owned(one, deployment)]
        current = [one for one in pods if one["metadata"]["labels"][HASH] == mark]
        refused = ""
        try:
            for _ in range(len(current), wanted):
                self.start(deployment, f"{deployment['metadata']['name']}-{mark}-{secrets.token_hex(3)}", mark)
        except ApiException as error:
            refused = json.loads(error.body)["message"]
        for pod in current:
            self.set_ready(pod)
        ready = [one for one in self.objects.list(PODS).items if is_owned(one, deployment) and is_ready(one)]
        updated = [one for one in ready if one["metadata"]["labels"][HASH] == mark]
        if len(updated) >= wanted:
            for pod in (*(one for one in pods if one not in current), *current[wanted:]):
                delete(self.objects, PODS, pod["metadata"]["name"])
        self.tell(deployment, status(deployment, wanted, min(len(ready), wanted), min(len(updated), wanted), refused))

    def start(self, deployment: dict[str, Any], name: str, mark: str) -> None:
        template, metadata = deployment["spec"]["template"], deployment["metadata"]
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
        marks = {"name": name, "labels": {**template["metadata"]["labels"], HASH: mark}}
        marks |= {"ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}]}
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": marks, "spec": template["spec"]}
        client.CoreV1Api(self.objects.connection.requests).create_namespaced_pod(self.objects.namespace, manifest)

    def set_ready(self, pod: dict[str, Any]) -> None:
        began = self.began.setdefault(pod["metadata"]["uid"], time.monotonic())
        healthy = not self.sick & set(pod["metadata"]["labels"].values()) and time.monotonic() - began >= START_S
        if is_ready(pod) != healthy:
            condition = {"type": "Ready", "status": str(healthy)}
            self.tell_pod(pod, {"phase": "Running", "conditions": [condition]})

    def tell_pod(self, pod: dict[str, Any], told: dict[str, Any]) -> None:
        core = client.CoreV1Api(self.objects.connection.requests)
        try:
            core.patch_namespaced_pod_status(pod["metadata"]["name"], self.objects.namespace, {"status": told})
        except ApiException as error:
            assert error.status == 404, error

    def tell(self, item: dict[str, Any], told: dict[str, Any]) -> None:
        """Write a status, where it is another one."""
        if item.get("status") != told:
            set_status(self.objects, {**item, "kind": "Deployment", "apiVersion": "apps/v1"}, DEPLOYMENTS, told)

    def lead(self, service: dict[str, Any], pods: list[dict[str, Any]]) -> None:
        """The EndpointSlice of a Service."""
        name = service["metadata"]["name"]
        chosen = [one for one in pods if is_selected(one, service["spec"].get("selector"))]
        endpoints = [
            {"addresses": [f"10.1.0.{number + 1}"], "conditions": {"ready": is_ready(pod)}, "targetRef": reference(pod)}
            for number, pod in enumerate(chosen)
        ]
        metadata = {"name": f"{name}-1", "labels": {SERVICE_NAME: name}}
        slices = {"apiVersion": SLICES.api_version, "kind": SLICES.kind, "metadata": metadata}
        self.writer.apply(SLICES, {**slices, "addressType": "IPv4", "endpoints": endpoints, "ports": []})

    def count(self, budget: dict[str, Any], pods: list[dict[str, Any]]) -> None:
        """What the disruption controller says: how many pods may go now."""
        chosen = [one for one in pods if is_selected(one, budget["spec"]["selector"]["matchLabels"])]
        healthy, desired = sum(map(is_ready, chosen)), len(chosen) - budget["spec"]["maxUnavailable"]
        told = {
            "observedGeneration": budget["metadata"]["generation"],
            "currentHealthy": healthy,
            "desiredHealthy": max(0, desired),
            "disruptionsAllowed": max(0, healthy - max(0, desired)),
            "expectedPods": len(chosen),
        }
        if {key: budget.get("status", {}).get(key, 0) for key in told} != told:
            set_status(self.objects, {**budget, "kind": BUDGETS.kind, "apiVersion": BUDGETS.api_version}, BUDGETS, told)


def status(deployment: dict[str, Any], wanted: int, ready: int, updated: int, refused: str) -> dict[str, Any]:
    counts = {"replicas": wanted, "readyReplicas": ready, "availableReplicas": ready, "updatedReplicas": updated}
    counts |= {"unavailableReplicas": wanted - ready}
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": refused}
    conditions = [failure] if refused else []
    told = {key: count for key, count in counts.items() if count}
    told |= {"observedGeneration": deployment["metadata"]["generation"]}
    return {**told, "conditions": conditions} if conditions else told


def set_status(objects: Objects, item: dict[str, Any], resource: Resource, told: dict[str, Any]) -> None:
    path = resource.path(objects.namespace, item["metadata"]["name"], "status")
    try:
        objects.connection.request("PUT", path, {}, {**item, "status": told}, "application/json")
    except ApiException as error:
        assert error.status in (404, 409), error  # changed or deleted meanwhile: the next round sees it


def delete(objects: Objects, resource: Resource, name: str) -> None:
    options = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
    try:
        objects.connection.request("DELETE", resource.path(objects.namespace, name), {}, options, "application/json")
    except ApiException as error:
        assert error.status == 404, error


@dataclass
class Operator:
    """Takes each object of its kind, again and again."""

    objects: Objects
    writer: "Writer" = field(init=False)
    resource: ClassVar[Resource]

    def __post_init__(self) -> None:
        self.writer = Writer(self.objects)

    def played(self) -> AbstractContextManager[None]:
        return playing(self.reconcile)

    def reconcile(self) -> None:
        for found in self.objects.list(self.resource).items:
            if "deletionTimestamp" not in found["metadata"]:
                self.take(found)

    def take(self, found: dict[str, Any]) -> None:
        raise NotImplementedError


@dataclass
class Writer:
    """Writes what is another than it wrote before."""

    objects: Objects
    written: dict[tuple[Resource, str], dict[str, Any]] = field(default_factory=dict)

    def apply(self, resource: Resource, manifest: dict[str, Any]) -> None:
        key = resource, manifest["metadata"]["name"]
        if self.written.get(key) != manifest:
            path = resource.path(self.objects.namespace, manifest["metadata"]["name"])
            self.objects.connection.request("PATCH", path, CONTROLLERS, manifest, APPLY)
            self.written[key] = manifest

    def end(self, resource: Resource, name: str) -> None:
        if self.written.pop((resource, name), None):
            delete(self.objects, resource, name)


def digest(template: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:8]


def is_owned(pod: dict[str, Any], owner: dict[str, Any]) -> bool:
    return any(one["uid"] == owner["metadata"]["uid"] for one in pod["metadata"].get("ownerReferences", ()))


def is_ready(pod: dict[str, Any]) -> bool:
    return {"type": "Ready", "status": "True"}.items() <= (pod.get("status", {}).get("conditions") or [{}])[0].items()


def is_selected(pod: dict[str, Any], selector: dict[str, str] | None) -> bool:
    return bool(selector) and selector.items() <= pod["metadata"].get("labels", {}).items()


def reference(pod: dict[str, Any]) -> dict[str, str]:
    return {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}


def quota(objects: Objects, **hard: str) -> None:
    """A ResourceQuota; the API server enforces it from now on, as if the quota's controller had counted."""
    core, name = client.CoreV1Api(objects.connection.requests), "small"
    core.create_namespaced_resource_quota(objects.namespace, {"metadata": {"name": name}, "spec": {"hard": hard}})
    used = {"pods": str(len(objects.list(PODS).items))}
    told = {"status": {"hard": hard, "used": {key: used.get(key, "0") for key in hard}}}
    core.patch_namespaced_resource_quota_status(name, objects.namespace, told)


def evict(objects: Objects, pod: str) -> None:
    """As a node is drained; the API server itself asks the budgets. Raises: ApiException: a budget says no."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = PODS.path(objects.namespace, pod, "eviction")
    objects.connection.request("POST", path, {"dryRun": "All"}, body, "application/json")
