"""TrainJob of Kubeflow Trainer (trainer.kubeflow.org/v1alpha1), with a TrainingRuntime that Seaway brings.

A TrainJob cannot say what its pods look like or what a lost one means: its runtime does. With the runtime that
Trainer ships, a failing job is retried for minutes; ours lets a lost pod end all pods at once (`backoffLimit: 0`) and
begin anew from the last checkpoint as often as the placement says. A running TrainJob has no condition at all.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind, outcome_by_conditions
from seaway.platforms.kubernetes.jobs.queueing import queued
from seaway.platforms.kubernetes.pods.template import resources
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.kubernetes.training.pod import COMMAND, START_S, environment, pod_template
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.platforms.kubernetes.validation.schema import require_valid
from seaway.training.pod.job import RemoteTraining

GROUP, VERSION = "trainer.kubeflow.org", "v1alpha1"
RESOURCE = Resource(GROUP, VERSION, "trainjobs", "TrainJob")
RUNTIME = Resource(GROUP, VERSION, "trainingruntimes", "TrainingRuntime")
CONTAINER = "node"  # Trainer looks for this name, of the replicated job and of its container
STEP_LABEL = "trainer.kubeflow.org/trainjob-ancestor-step"
QUEUE = "scheduling.volcano.sh/queue-name"  # Trainer takes the queue of its PodGroup from this annotation
SAID_BY_JOB = (  # all else says the runtime
    "image", "cpu", "memory", "gpus", "gpu_resource", "env", "runtime", "local_queue", "queue_priority"
)  # fmt: skip
RESERVED = ("PET_MASTER_ADDR", "PET_MASTER_PORT", "PET_NNODES", "PET_NODE_RANK", "PET_NPROC_PER_NODE")


def build(training: RemoteTraining, placement: Placement) -> dict[str, Any]:
    """The job without a name, which the launcher gives it; it refers to `build_runtime`'s runtime or the placement's.

    Raises:
        InvalidSpec: the workers do not fit the placement, or it asks for what a TrainJob cannot carry.
    """
    _check(placement)
    kind = "ClusterTrainingRuntime" if placement.runtime else RUNTIME.kind
    name = placement.runtime or build_runtime(training, placement)["metadata"]["name"]
    trainer = {
        "image": placement.image,
        "command": COMMAND,
        "env": environment(training, placement),
        "numNodes": placement.pods(training.workers),
        "numProcPerNode": placement.processes,
        "resourcesPerNode": resources(placement),
    }
    spec = {
        "runtimeRef": {"apiGroup": GROUP, "kind": kind, "name": name},
        "activeDeadlineSeconds": math.ceil(training.timeout_s) + START_S,
        "trainer": trainer,
    }
    job = {"apiVersion": RESOURCE.api_version, "kind": RESOURCE.kind, "spec": spec}
    return queued(job, placement.local_queue, placement.queue_priority)


def _check(placement: Placement) -> None:
    if placement.elastic:
        raise InvalidSpec("Trainer has no elastic trainings; take backend 'pytorchjob', or restarts instead.")
    if placement.queue and placement.scheduler != "volcano":
        raise InvalidSpec(f"queue={placement.queue!r}: a TrainJob has a queue with scheduler 'volcano' only.")
    if placement.runtime and (lost := _said_by_runtime(placement)):
        raise InvalidSpec(
            f"runtime={placement.runtime!r} says how pods look and restart, and a TrainJob cannot say otherwise: "
            f"{', '.join(lost)} would be lost. Write them into that ClusterTrainingRuntime and leave them out here, or "
            f"leave runtime out and Seaway brings its own."
        )


def _said_by_runtime(placement: Placement) -> list[str]:
    """The settings that differ from their defaults and that a TrainJob does not carry."""
    plain = Placement(placement.image)
    names = [each.name for each in fields(placement) if each.name not in SAID_BY_JOB]
    return [name for name in names if getattr(placement, name) != getattr(plain, name)]


def build_runtime(training: RemoteTraining, placement: Placement) -> dict[str, Any]:
    """The runtime that says how pods look and restart; named by its content, so that equal placements share it."""
    template = pod_template(training, placement, CONTAINER)
    for name in ("command", "env", "resources"):
        del template["spec"]["containers"][0][name]
    template["spec"]["restartPolicy"] = "Never"
    job = {
        "name": CONTAINER,
        "template": {
            "metadata": {"labels": {STEP_LABEL: "trainer"}},
            "spec": {"backoffLimit": 0, "template": template},
        },
    }
    spec: dict[str, Any] = {
        "mlPolicy": {"numNodes": 1, "torch": {}},
        "template": {"spec": {"failurePolicy": {"maxRestarts": placement.restarts}, "replicatedJobs": [job]}},
    }
    if placement.scheduler:
        spec["podGroupPolicy"] = {"volcano" if placement.scheduler == "volcano" else "coscheduling": {}}
    if placement.queue:
        spec["template"]["metadata"] = {"annotations": {QUEUE: placement.queue}}
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()
    labels = {"app.kubernetes.io/managed-by": "seaway", "app.kubernetes.io/component": "trainingruntime"}
    metadata = {"name": f"seaway-{digest[:16]}", "labels": labels}
    return {"apiVersion": RUNTIME.api_version, "kind": RUNTIME.kind, "metadata": metadata, "spec": spec}


def rules(manifest: Manifest) -> Iterator[Problem]:
    """What the admission webhook of Trainer 2.3 refuses when a TrainJob is created, beside its CRD's rules."""
    trainer = manifest.get("spec", {}).get("trainer", {})
    if reserved := sorted({entry["name"] for entry in trainer.get("env", [])} & set(RESERVED)):
        yield Problem("spec.trainer.env", f"Invalid value: must not have reserved envs: {', '.join(reserved)}")


def runtime_rules(manifest: Manifest) -> Iterator[Problem]:
    """What the admission webhook of Trainer 2.3 refuses when a runtime is created, beside its CRD's rules."""
    jobs = manifest.get("spec", {}).get("template", {}).get("spec", {}).get("replicatedJobs", [])
    for index, job in enumerate(jobs):
        field = f"spec.template.spec.replicatedJobs[{index}]"
        step = job["template"].get("metadata", {}).get("labels", {}).get(STEP_LABEL)
        wanted = {"trainer": CONTAINER, "dataset-initializer": step, "model-initializer": step}.get(step)
        if wanted is None:
            continue
        if job.get("replicas", 1) != 1:
            yield Problem(f"{field}.replicas", f"Invalid value: {job['replicas']}: always must be 1")
        containers = job["template"].get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
        if not any(container["name"] == wanted for container in containers):
            yield Problem(f"{field}.template.spec.template.spec.containers", f"Invalid value: must have the {wanted!r} "
                          f"container in the {step} job")  # fmt: skip


def preflight(manifest: Manifest) -> None:
    """Refuse what the API server or Trainer's webhook would. Raises: InvalidSpec: with the fields' paths."""
    require_valid(manifest, RESOURCE, (rules,))


def preflight_runtime(manifest: Manifest) -> None:
    """The same for a runtime."""
    require_valid(manifest, RUNTIME, (runtime_rules,))


KIND = Kind(
    resource=RESOURCE,
    controller="Kubeflow Trainer",
    outcome=outcome_by_conditions(succeeded="Complete", failed="Failed"),
    pod_label="jobset.sigs.k8s.io/jobset-name",
    preflight=preflight,
    suffix=len("-node-0-1000-12345"),  # pods are <job>-node-0-<index>-<5 characters>
    overrides="podTemplateOverrides",
)
