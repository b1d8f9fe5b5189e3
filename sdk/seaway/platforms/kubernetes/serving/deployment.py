"""An endpoint's arms as plain Deployments, one a version, each with its autoscaler and disruption budget: any cluster.

A Deployment is made for one version and never changed, so an arm is never half of two models.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from seaway.platforms.kubernetes.client.permissions import APPLIED, Permission
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, Manifest, Resource
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

AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
SCALED_S = 20  # an autoscaler first looks 15 s after it is made; before, its one pod does not count as all of them


class Deployments:
    """What needs nothing but Kubernetes."""

    name = "deployment"
    kind = Kind(
        resource=DEPLOYMENTS,
        controller="the Deployment controller of kube-controller-manager",
        outcome=endless,
        pod_label=server_pod.WORKLOAD,
    )
    resources: Sequence[Resource] = (DEPLOYMENTS, AUTOSCALERS, BUDGETS)
    permissions: Sequence[Permission] = (
        Permission(DEPLOYMENTS, (*APPLIED, "watch"), "deployment: an arm's pods on any cluster"),
        Permission(AUTOSCALERS, APPLIED, "deployment: more pods by load"),
        Permission(BUDGETS, APPLIED, "deployment: a drained node takes one pod at a time"),
    )
    traffic = ""
    port = SERVICE_PORT

    def pods_by_owner(self, name: str, arms: Arms) -> dict[str, Counter[str]]:
        return owners_of(name, arms)

    def objects(self, name: str, arms: Arms, weights: Weights) -> list[dict[str, Any]]:
        versions = {served.version: served for served in arms.values()}
        return [manifest for served in versions.values() for manifest in self._of(name, served)]

    def strays(self, name: str, arms: Arms) -> str:
        return ""

    def path(self, namespace: str, name: str) -> str:
        return ""

    def preflight(self, manifest: Manifest) -> None:
        """Nothing: of built-in kinds the API server has the only schema, and refuses unknown fields."""

    def _of(self, name: str, served: Served) -> Iterator[dict[str, Any]]:
        workload, hosting = owner_of(name, served), served.hosting
        yield {
            **head(DEPLOYMENTS, workload),
            "spec": {
                **({"minReadySeconds": SCALED_S} if hosting.autoscale else {"replicas": hosting.replicas}),
                "selector": {"matchLabels": {server_pod.WORKLOAD: workload}},
                "strategy": NEW_FIRST,
                "template": {
                    "metadata": server_pod.metadata(served.arm, hosting, workload),
                    "spec": server_pod.spec(served.arm, hosting),
                },
            },
        }
        yield budget(workload, {server_pod.WORKLOAD: workload})
        if hosting.autoscale:
            target = {"apiVersion": DEPLOYMENTS.api_version, "kind": DEPLOYMENTS.kind, "name": workload}
            yield {
                **head(AUTOSCALERS, workload),
                "spec": {
                    "scaleTargetRef": target,
                    "minReplicas": hosting.replicas,
                    "maxReplicas": hosting.autoscale.max_replicas,
                    "metrics": [cpu_metric(hosting.autoscale.cpu_percent)],
                },
            }


def cpu_metric(percent: int) -> dict[str, Any]:
    """Of the cores that the pods ask for."""
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


endpoint = EndpointOf(Deployments())
