"""PyTorchJob of the Kubeflow training operator (kubeflow.org/v1).

Without an elastic policy it has a Master, which is rank 0, and Workers. A pod whose process ends badly is restarted
in its place, and so are its peers, which lose their connections to it: the training goes on from the last checkpoint.
That also holds for the Master, and the number of processes stays, so that the result is that of an undisturbed run.
With an elastic policy there are Workers only, which torch.distributed.elastic holds together: it goes on with fewer
pods, but not without the first one, where its rendezvous is.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind, outcome_by_conditions
from seaway.platforms.kubernetes.jobs.queueing import queued
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.kubernetes.training.pod import START_S, pod_template
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.platforms.kubernetes.validation.schema import require_valid
from seaway.training.pod.job import RemoteTraining

RESOURCE = Resource("kubeflow.org", "v1", "pytorchjobs", "PyTorchJob")
CONTAINER = "pytorch"  # the operator looks for this name
KEPT_S = 24 * 3600  # a finished job, for whoever wants to look at it
LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_LENGTH = 63
LABEL_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character"
)


def build(training: RemoteTraining, placement: Placement) -> dict[str, Any]:
    """The job without a name, which the launcher gives it.

    Raises:
        InvalidSpec: the workers do not fit the placement, or it names a runtime, which a PyTorchJob cannot refer to.
    """
    if placement.runtime:
        raise InvalidSpec(f"runtime={placement.runtime!r} is for TrainJobs; take backend 'trainjob' or leave it out.")
    pods = placement.pods(training.workers)
    spec: dict[str, Any] = {
        "nprocPerNode": str(placement.processes),
        "runPolicy": _run_policy(training, placement, pods),
        "pytorchReplicaSpecs": _replicas(training, placement, pods),
    }
    if placement.elastic:
        spec["elasticPolicy"] = {
            "rdzvBackend": "c10d",
            "minReplicas": placement.elastic.min_workers,
            "maxReplicas": pods,
            "maxRestarts": placement.elastic.max_restarts,
        }
    job = {"apiVersion": RESOURCE.api_version, "kind": RESOURCE.kind, "spec": spec}
    return queued(job, placement.local_queue, placement.queue_priority)


def _run_policy(training: RemoteTraining, placement: Placement, pods: int) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "cleanPodPolicy": "Running",
        "activeDeadlineSeconds": math.ceil(training.timeout_s) + START_S,
        "ttlSecondsAfterFinished": KEPT_S,
    }
    if placement.restarts:
        policy["backoffLimit"] = _restarts_of_containers(placement.restarts, pods)
    if placement.scheduler:
        policy["schedulingPolicy"] = {"minAvailable": pods, **({"queue": placement.queue} if placement.queue else {})}
    return policy


def _restarts_of_containers(restarts: int, pods: int) -> int:
    """The operator fails a job whose containers restarted so often, all together; a lost peer restarts each of them."""
    return restarts * pods + 1


def _replicas(training: RemoteTraining, placement: Placement, pods: int) -> dict[str, Any]:
    replica = {
        "restartPolicy": "OnFailure" if placement.restarts else "Never",
        "template": pod_template(training, placement, CONTAINER),
    }
    if placement.elastic:
        return {"Worker": {"replicas": pods, **replica}}
    workers = {"Worker": {"replicas": pods - 1, **replica}} if pods > 1 else {}
    return {"Master": {"replicas": 1, **replica}, **workers}


def rules(manifest: Manifest) -> Iterator[Problem]:
    """What the admission webhook of training operator 1.8 refuses."""
    name = manifest["metadata"]["name"]
    if len(name) > LABEL_LENGTH or not LABEL.fullmatch(name):
        yield Problem("metadata.name", f'Invalid value: "{name}": should match: {LABEL_RULE}')
    spec = manifest.get("spec", {})
    if "nProcPerNode" in spec.get("elasticPolicy", {}) and "nprocPerNode" in spec:
        yield Problem("spec.elasticPolicy.nProcPerNode", "Forbidden: must not be used with spec.nprocPerNode")
    for role, replica in spec.get("pytorchReplicaSpecs", {}).items():
        yield from _replica_problems(f"spec.pytorchReplicaSpecs[{role}]", role, replica)


def _replica_problems(field: str, role: str, replica: Manifest) -> Iterator[Problem]:
    if role not in ("Master", "Worker"):
        yield Problem(field, f'Unsupported value: "{role}": supported values: "Master", "Worker"')
    containers = replica.get("template", {}).get("spec", {}).get("containers", [])
    where = f"{field}.template.spec.containers"
    if not containers:
        yield Problem(where, "Required value: must be specified")
    for index, container in enumerate(containers):
        if not container.get("image"):
            yield Problem(f"{where}[{index}].image", "Required value: must be required")
    if not any(container["name"] == CONTAINER for container in containers):
        yield Problem(where, f"Required value: must have at least one container with name {CONTAINER}")
    if role == "Master" and replica.get("replicas") != 1:
        yield Problem(f"{field}.replicas", "Forbidden: must be 1")


def preflight(manifest: Manifest) -> None:
    """Refuse what the API server or the operator's webhook would. Raises: InvalidSpec: with the fields' paths."""
    require_valid(manifest, RESOURCE, (rules,))


KIND = Kind(
    resource=RESOURCE,
    controller="the Kubeflow training operator",
    outcome=outcome_by_conditions(succeeded="Succeeded", failed="Failed"),
    pod_label="training.kubeflow.org/job-name",
    preflight=preflight,
    suffix=len("-worker-1000"),
    suspend=("spec", "runPolicy", "suspend"),
)
