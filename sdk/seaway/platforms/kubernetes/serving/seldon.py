"""An endpoint's arms as predictors of one SeldonDeployment (machinelearning.seldon.io/v1), called as the arms.

Each predictor is a graph of one server, which requests reach without Seldon's own orchestrator. Seldon's operator makes
a Service for each, and with Istio the VirtualService, from `traffic`. Written by its CRD and the rules of its webhook.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from seaway.model_server.arm import PORT
from seaway.platforms.kubernetes.client.permissions import APPLIED, Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.serving import server_pod
from seaway.platforms.kubernetes.serving.endpoint import EndpointOf
from seaway.platforms.kubernetes.serving.workload import Arms, Served, Weights, endless, head
from seaway.platforms.kubernetes.traffic.seldon import SELDON_DEPLOYMENTS
from seaway.platforms.kubernetes.validation.schema import Problem, require_valid

NO_ORCHESTRATOR = {"seldon.io/no-engine": "true"}
FULL = 100  # per cent
SERVICE_LENGTH = 63  # of NAME-PREDICTOR, a DNS label


class SeldonDeployments:
    """What Seldon Core 1 runs."""

    name = "seldondeployment"
    kind = Kind(resource=SELDON_DEPLOYMENTS, controller="Seldon Core 1", outcome=endless, pod_label=server_pod.WORKLOAD)
    resources: Sequence[Resource] = (SELDON_DEPLOYMENTS,)
    permissions: Sequence[Permission] = (
        Permission(SELDON_DEPLOYMENTS, (*APPLIED, "watch"), "seldon: the arms as predictors"),
    )
    traffic = "seldon"

    def pods_by_owner(self, name: str, arms: Arms) -> dict[str, Counter[str]]:
        counts: Counter[str] = Counter()
        for served in arms.values():  # each arm has its own pods, even of one version
            counts[served.version] += served.hosting.replicas
        return {name: counts}

    def objects(self, name: str, arms: Arms, weights: Weights) -> list[dict[str, Any]]:
        predictors = [_predictor(name, arm, served, weights.get(arm, 0)) for arm, served in arms.items()]
        spec = {"name": name, "protocol": "v2", "predictors": predictors}
        return [{**head(SELDON_DEPLOYMENTS, name), "spec": spec}]

    def path(self, namespace: str, name: str) -> str:
        return f"/seldon/{namespace}/{name}"  # of the VirtualService that the operator makes

    def preflight(self, manifest: Manifest) -> None:
        """Refuse what the API server or Seldon's webhook would."""
        require_valid(manifest, SELDON_DEPLOYMENTS, (rules,))


def _predictor(name: str, arm: str, served: Served, weight: int) -> dict[str, Any]:
    return {
        "name": arm,
        "traffic": weight,
        "annotations": NO_ORCHESTRATOR,
        "graph": {
            "name": server_pod.SERVER,
            "type": "MODEL",
            "endpoint": {"type": "REST", "httpPort": PORT, "grpcPort": PORT},
        },
        "componentSpecs": [_component(name, served)],
    }


def _component(name: str, served: Served) -> dict[str, Any]:
    hosting = served.hosting
    size: dict[str, Any] = {"replicas": hosting.replicas}
    if hosting.autoscale:
        resource = {"name": "cpu", "targetAverageUtilization": hosting.autoscale.cpu_percent}
        size = {
            "hpaSpec": {
                "minReplicas": hosting.replicas,
                "maxReplicas": hosting.autoscale.max_replicas,
                "metrics": [{"type": "Resource", "resource": resource}],
            }
        }
    return {
        "metadata": server_pod.metadata(served.arm, hosting, name),
        "spec": server_pod.spec(served.arm, hosting),
        "pdbSpec": {"maxUnavailable": 1},
        **size,
    }


def rules(manifest: Manifest) -> Iterator[Problem]:
    """What the webhook of Seldon Core 1.18 refuses, as its source has it."""
    predictors = manifest["spec"]["predictors"]
    shares = [predictor.get("traffic", 0) for predictor in predictors if not predictor.get("shadow")]
    if len(shares) > 1 and sum(shares) != FULL:
        yield Problem("spec.predictors", f"Traffic must sum to 100 for multiple predictors, not to {sum(shares)}")
    if len(shares) == 1 and shares[0] not in (0, FULL):
        yield Problem("spec.predictors[0].traffic", "Traffic must sum be 100 for a single predictor when set")
    names = Counter(predictor["name"] for predictor in predictors)
    for index, predictor in enumerate(predictors):
        field = f"spec.predictors[{index}]"
        if names[predictor["name"]] > 1:
            yield Problem(f"{field}.name", "Duplicate predictor name")
        if len(f"{manifest['metadata']['name']}-{predictor['name']}") > SERVICE_LENGTH:
            yield Problem(f"{field}.name", f"its Service's name would have more than {SERVICE_LENGTH} characters")
        containers = [
            container["name"]
            for component in predictor.get("componentSpecs", ())
            for container in component.get("spec", {}).get("containers", ())
        ]
        if predictor["graph"]["name"] not in containers:
            yield Problem(f"{field}.graph.name", "Can't find container for Predictive Unit")


endpoint = EndpointOf(SeldonDeployments())
