"""An endpoint's arms as predictor and canary of one InferenceService (serving.kserve.io/v1beta1), Standard mode.

KServe 0.20 makes a Deployment, a Service and an autoscaler for the canary but splits no traffic between the two: that
is done over the arms' own Services, which lead to pods by version.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from seaway.platforms.kubernetes import serverpod
from seaway.platforms.kubernetes.backends import Arms, Served, Weights, each_arm, endless
from seaway.platforms.kubernetes.deployment import BUDGETS, NEW_FIRST, head
from seaway.platforms.kubernetes.kinds import Kind
from seaway.platforms.kubernetes.preflight import require_valid
from seaway.platforms.kubernetes.resources import Manifest, Resource

INFERENCE_SERVICES = Resource("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService")
STANDARD = {"serving.kserve.io/deploymentMode": "Standard"}
CONTAINER = "kserve-container"  # KServe looks for this name
CANARY = "candidate"
FULL = 100  # per cent


class InferenceServices:
    """The backend of KServe."""

    kind = Kind(resource=INFERENCE_SERVICES, controller="KServe", outcome=endless, pod_label=serverpod.WORKLOAD)
    resources: Sequence[Resource] = (INFERENCE_SERVICES, BUDGETS)
    routes = False

    def workloads(self, name: str, arms: Arms) -> dict[str, Counter[str]]:
        return {name: each_arm(arms)}

    def objects(self, name: str, arms: Arms, weights: Weights) -> list[dict[str, Any]]:
        spec: dict[str, Any] = {"predictor": _predictor(name, arms["stable"])}
        if "candidate" in arms:
            predictor = {"name": CANARY, **_predictor(name, arms["candidate"])}
            spec["canary"] = [{"predictor": predictor, "trafficPercent": FULL}]
        service = {**head(INFERENCE_SERVICES, name), "spec": spec}
        service["metadata"]["annotations"] = STANDARD
        selector = {"matchLabels": {serverpod.WORKLOAD: name}}
        return [service, {**head(BUDGETS, name), "spec": {"maxUnavailable": 1, "selector": selector}}]

    def preflight(self, manifest: Manifest) -> None:
        """Refuse what the API server would."""
        require_valid(manifest, INFERENCE_SERVICES)


def _predictor(name: str, served: Served) -> dict[str, Any]:
    hosting = served.hosting
    scaling: dict[str, Any] = {"minReplicas": hosting.replicas, "maxReplicas": hosting.replicas}
    if hosting.autoscale:
        scaling = {
            "minReplicas": hosting.replicas,
            "maxReplicas": hosting.autoscale.max_replicas,
            "scaleMetric": "cpu",
            "scaleTarget": hosting.autoscale.cpu_percent,
        }
    return {
        **scaling,
        "deploymentStrategy": NEW_FIRST,
        **serverpod.metadata(served.arm, hosting, name),
        **serverpod.spec(served.arm, hosting, CONTAINER),
    }
