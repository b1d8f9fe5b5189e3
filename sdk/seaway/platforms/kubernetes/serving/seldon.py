"""An endpoint's arms as predictors of one SeldonDeployment (machinelearning.seldon.io/v1), called as the arms.

Each predictor is a graph of one server, which requests reach without Seldon's own orchestrator. Seldon's operator makes
a Service for each, and with Istio the VirtualService, from `traffic`. Written by its CRD, the rules of its webhook, and
what its operator was seen to do (docs/clusters.md).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seaway.model_server.arm import PORT
from seaway.platforms.kubernetes.client.permissions import APPLIED, Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.serving import server_pod
from seaway.platforms.kubernetes.serving.endpoint import EndpointOf
from seaway.platforms.kubernetes.serving.hosting import Hosting
from seaway.platforms.kubernetes.serving.seldon_validation import NO_ENGINE, rules
from seaway.platforms.kubernetes.serving.workload import BUDGETS, Arms, Served, Weights, budget, endless, head
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES
from seaway.platforms.kubernetes.traffic.seldon_arms import named_arms
from seaway.platforms.kubernetes.traffic.seldon_operator import GRPC_PORT, SELDON_DEPLOYMENTS
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.platforms.kubernetes.validation.schema import require_valid

ARM = "seaway.dev/arm"  # label of a pod: both arms may have one version
HOST, GATEWAY = "seldon.io/istio-host", "seldon.io/istio-gateway"  # annotations: else any host, and the operator's own
SERVICE_LENGTH = 63  # of NAME-PREDICTOR, a DNS label: the operator calls what is longer by a hash


class SeldonDeployments:
    """What Seldon Core 1 runs."""

    name = "seldondeployment"
    kind = Kind(resource=SELDON_DEPLOYMENTS, controller="Seldon Core 1", outcome=endless, pod_label=server_pod.WORKLOAD)
    resources: Sequence[Resource] = (SELDON_DEPLOYMENTS, BUDGETS, VIRTUAL_SERVICES)
    permissions: Sequence[Permission] = (
        Permission(SELDON_DEPLOYMENTS, (*APPLIED, "watch"), "seldon: the arms as predictors"),
        Permission(BUDGETS, APPLIED, "seldon: a drained node takes one pod at a time"),
        Permission(VIRTUAL_SERVICES, APPLIED, "seldon: the route by which testers name an arm"),
    )
    traffic = "seldon"
    port = PORT

    def pods_by_owner(self, name: str, arms: Arms) -> dict[str, Counter[str]]:
        counts: Counter[str] = Counter()
        for served in arms.values():  # each arm has its own pods, even of one version
            counts[served.version] += served.hosting.replicas
        return {name: counts}

    def objects(self, name: str, arms: Arms, weights: Weights) -> list[dict[str, Any]]:
        predictors = [_predictor(name, arm, served, weights.get(arm, 0)) for arm, served in arms.items()]
        deployment = head(SELDON_DEPLOYMENTS, name)
        if annotations := _route(arms["stable"].hosting):
            deployment["metadata"]["annotations"] = annotations
        spec = {"name": name, "protocol": "v2", "predictors": predictors}
        budgets = [budget(f"{name}-{arm}", _labels(name, arm)) for arm in arms]
        return [*_named_arms(name, arms), {**deployment, "spec": spec}, *budgets]

    def strays(self, name: str, arms: Arms) -> str:
        return f"{server_pod.WORKLOAD}={name},{ARM} notin ({', '.join(arms)})"

    def path(self, namespace: str, name: str) -> str:
        return f"/seldon/{namespace}/{name}"  # of the VirtualService that the operator makes

    def preflight(self, manifest: Manifest) -> None:
        """Refuse what the API server or Seldon's webhook would, and names that nobody would find."""
        require_valid(manifest, SELDON_DEPLOYMENTS, (rules, names))


def names(manifest: Manifest) -> Iterator[Problem]:
    """Names by which the gateway, its counters and callers would not find an arm's Service."""
    for index, predictor in enumerate(manifest["spec"].get("predictors") or ()):
        if len(f"{manifest['metadata']['name']}-{predictor['name']}") > SERVICE_LENGTH:
            field = f"spec.predictors[{index}].name"
            yield Problem(field, f"its Service's name would have more than {SERVICE_LENGTH} characters")


def _route(hosting: Hosting) -> dict[str, str]:
    """What the operator is told of the route that it makes."""
    return {key: text for key, text in ((HOST, hosting.host), (GATEWAY, hosting.gateway)) if text}


def _named_arms(name: str, arms: Arms) -> list[dict[str, Any]]:
    """The testers' route, where it is known which host and gateway its operator's is for."""
    hosting = arms["stable"].hosting
    return [named_arms(name, arms, hosting.host, hosting.gateway)] if hosting.host and hosting.gateway else []


def _labels(name: str, arm: str) -> Mapping[str, str]:
    """By which the pods of one arm are told."""
    return {server_pod.WORKLOAD: name, ARM: arm}


def _predictor(name: str, arm: str, served: Served, weight: int) -> dict[str, Any]:
    return {
        "name": arm,
        "traffic": weight,
        "annotations": {NO_ENGINE: "true"},
        "graph": {
            "name": server_pod.SERVER,
            "type": "MODEL",
            "endpoint": {"type": "REST", "httpPort": PORT, "grpcPort": GRPC_PORT},
        },
        "componentSpecs": [_component(name, arm, served)],
    }


def _component(name: str, arm: str, served: Served) -> dict[str, Any]:
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
    metadata = server_pod.metadata(served.arm, hosting, name)
    return {
        "metadata": {**metadata, "labels": {**metadata["labels"], **_labels(name, arm)}},
        "spec": server_pod.spec(served.arm, hosting, grpc_port=GRPC_PORT),
        **size,
    }


endpoint = EndpointOf(SeldonDeployments())
