"""An endpoint's arms as InferenceServices (serving.kserve.io/v1beta1) in Standard mode, one a version, never changed.

`spec.canary` is not used: KServe 0.20 refuses it beside a predictor that is a container, takes the canary's pods out of
stable's number, splits no traffic, and renames the address at promotion. Two InferenceServices behind the arms' own
Services have none of that; a route splits between them, and promotion changes neither.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from seaway.platforms.kubernetes.client.permissions import APPLIED, Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.serving import server_pod
from seaway.platforms.kubernetes.serving.endpoint import EndpointOf
from seaway.platforms.kubernetes.serving.workload import (
    BUDGETS,
    NEW_FIRST,
    SERVICE_PORT,
    Arms,
    Served,
    Weights,
    budget,
    endless,
    head,
    owner_of,
    owners_of,
)
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.platforms.kubernetes.validation.schema import require_valid

INFERENCE_SERVICES = Resource("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")
STANDARD = {"serving.kserve.io/deploymentMode": "Standard"}
CONTAINER = "kserve-container"  # KServe looks for this name
NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LONGEST = 63 - len("-predictor")  # which KServe appends for Deployment and Service


class InferenceServices:
    """What KServe runs."""

    name = "inferenceservice"
    kind = Kind(resource=INFERENCE_SERVICES, controller="KServe", outcome=endless, pod_label=server_pod.WORKLOAD)
    resources: Sequence[Resource] = (INFERENCE_SERVICES, BUDGETS)
    permissions: Sequence[Permission] = (
        Permission(INFERENCE_SERVICES, (*APPLIED, "watch"), "kserve: the arms as InferenceServices"),
        Permission(BUDGETS, APPLIED, "kserve: a drained node takes one pod at a time"),
    )
    traffic = ""
    port = SERVICE_PORT

    def pods_by_owner(self, name: str, arms: Arms) -> dict[str, Counter[str]]:
        return owners_of(name, arms)

    def objects(self, name: str, arms: Arms, weights: Weights) -> list[dict[str, Any]]:
        versions = {served.version: served for served in arms.values()}
        return [manifest for served in versions.values() for manifest in _of(name, served)]

    def strays(self, name: str, arms: Arms) -> str:
        return ""

    def path(self, namespace: str, name: str) -> str:
        return ""

    def preflight(self, manifest: Manifest) -> None:
        """Refuse what the API server or KServe's webhook would."""
        require_valid(manifest, INFERENCE_SERVICES, (rules,))


def rules(manifest: Manifest) -> Iterator[Problem]:
    """What the webhook of KServe 0.20 refuses of such an object, and names that its Deployment could not have."""
    name = manifest["metadata"]["name"]
    if not NAME.fullmatch(name):
        yield Problem("metadata.name", f'Invalid value: "{name}": must be a letter, then letters, digits and hyphens')
    if len(name) > LONGEST:
        yield Problem(
            "metadata.name", f"Invalid value: its Deployment's name would have more than 63 characters: {name}"
        )
    if manifest["spec"].get("canary"):
        yield Problem("spec.canary", "canary requires a stable predictor with a model, not with containers")


def _of(name: str, served: Served) -> Iterator[dict[str, Any]]:
    workload, hosting = owner_of(name, served), served.hosting
    scaling: dict[str, Any] = {"minReplicas": hosting.replicas, "maxReplicas": hosting.replicas}
    if hosting.autoscale:
        scaling["maxReplicas"] = hosting.autoscale.max_replicas
        scaling |= {"scaleMetric": "cpu", "scaleTarget": hosting.autoscale.cpu_percent}
    predictor = {
        **scaling,
        "deploymentStrategy": NEW_FIRST,
        **server_pod.metadata(served.arm, hosting, workload),
        **server_pod.spec(served.arm, hosting, CONTAINER),
    }
    service = head(INFERENCE_SERVICES, workload)
    service["metadata"]["annotations"] = STANDARD
    yield {**service, "spec": {"predictor": predictor}}
    yield budget(workload, {server_pod.WORKLOAD: workload})


endpoint = EndpointOf(InferenceServices())
