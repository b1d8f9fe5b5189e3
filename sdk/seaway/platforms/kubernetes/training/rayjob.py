"""RayJob of KubeRay (ray.io/v1): a RayCluster of the training's own, the job on it, and the end of both.

The head holds no bundle, and each worker pod holds one, so the driver that Ray's job API is given elsewhere places the
processes as an operator of Kubeflow would. A worker pod that is lost is replaced by KubeRay, and the driver begins anew
from the last checkpoint; a head that is lost takes the cluster along, and KubeRay makes another one. The submitter's
log is the job's.
"""

import math
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.naming import LONGEST
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind, Outcome, State
from seaway.platforms.kubernetes.jobs.queueing import queued
from seaway.platforms.kubernetes.pods.template import number
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.kubernetes.training.pod import START_S, pod_template
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.platforms.kubernetes.validation.schema import require_valid
from seaway.training.pod.job import RemoteTraining
from seaway.training.ray.group import VARIABLE, Group

RESOURCE = Resource("ray.io", "v1", "rayjobs", "RayJob")
DRIVER = "seaway.training.ray.driver"
HEAD, WORKER, SUBMITTER = "ray-head", "ray-worker", "ray-job-submitter"
JOB = "seaway.dev/job"  # label of all its pods: KubeRay's own names the cluster, whose name nobody knows beforehand
LONGEST_NAME = 47  # KubeRay appends to it, and a Service's name has 63 characters
NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
HEAD_CPU, HEAD_MEMORY = "1", "4Gi"  # for the dashboard, Ray's tables and the driver
SUBMITTER_CPU, SUBMITTER_MEMORY = "100m", "1Gi"
NOT_CARRIED = ("elastic", "scheduler", "queue", "runtime")
STARTED_BY_RAY = ("num-cpus", "num-gpus", "memory", "resources")
MODES = ("K8sJobMode", "HTTPMode", "SidecarMode", "InteractiveMode")  # another one is never submitted
ENDED = ("Complete", "Failed", "ValidationFailed")


def build(training: RemoteTraining, placement: Placement) -> dict[str, Any]:
    """The job without a name, which the launcher gives it.

    Raises:
        InvalidSpec: the workers do not fit the placement, or it asks for what a RayJob cannot carry.
    """
    if lost := [name for name in NOT_CARRIED if getattr(placement, name)]:
        raise InvalidSpec(f"placement has {', '.join(lost)}, which no RayJob carries; take backend 'trainjob' or "
                          "'pytorchjob', or Kueue's local_queue.")  # fmt: skip
    spec = {
        "entrypoint": f"python -m {DRIVER}",
        "submissionMode": "K8sJobMode",
        "activeDeadlineSeconds": math.ceil(training.timeout_s) + START_S,
        "backoffLimit": placement.restarts,
        "shutdownAfterJobFinishes": True,
        "submitterPodTemplate": _submitter(training, placement),
        "rayClusterSpec": _cluster(training, placement),
    }
    job = {"apiVersion": RESOURCE.api_version, "kind": RESOURCE.kind, "spec": spec}
    return queued(job, placement.local_queue, placement.queue_priority)


def labelled(job: Manifest) -> dict[str, Any]:
    """`job`, which has its name by now, with pods that are found by it."""
    named = deepcopy(dict(job))
    for _, template in templates(named["spec"]):
        template["metadata"]["labels"][JOB] = named["metadata"]["name"]
    return named


def templates(spec: Manifest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and PodTemplateSpec of each group of pods, and of the submitter where it has one."""
    cluster = spec.get("rayClusterSpec") or {}
    if "template" in (cluster.get("headGroupSpec") or {}):
        yield "spec.rayClusterSpec.headGroupSpec.template", cluster["headGroupSpec"]["template"]
    for index, group in enumerate(cluster.get("workerGroupSpecs") or ()):
        yield f"spec.rayClusterSpec.workerGroupSpecs[{index}].template", group.get("template") or {}
    if submitter := spec.get("submitterPodTemplate"):
        yield "spec.submitterPodTemplate", submitter


def _cores(placement: Placement) -> int:
    """What Ray is told that a worker pod has: whole ones, and one at least."""
    return max(1, math.floor(number(placement.cpu)))


def _group(training: RemoteTraining, placement: Placement, pods: int, cores: int) -> Group:
    devices = {"GPU": float(placement.gpus)} if placement.gpus else {}
    return Group(
        nodes=pods,
        bundle={"CPU": float(cores), **devices},
        processes=placement.processes,
        cpus=max(1, cores // placement.processes),
        strategy="STRICT_SPREAD",
        restarts=placement.restarts,
        queue_s=START_S,
        timeout_s=training.timeout_s,
    )


def _cluster(training: RemoteTraining, placement: Placement) -> dict[str, Any]:
    """A head, and as many workers as the training has pods."""
    pods, cores = placement.pods(training.workers), _cores(placement)
    group = _group(training, placement, pods, cores)
    of_head = replace(placement, cpu=HEAD_CPU, memory=HEAD_MEMORY, gpus=0)
    devices = {"num-gpus": str(placement.gpus)} if placement.gpus else {}
    workers = {
        "groupName": "workers",
        **dict.fromkeys(("replicas", "minReplicas", "maxReplicas"), pods),
        "rayStartParams": {"num-cpus": str(cores), **devices},
        "template": _pods(training, placement, WORKER, group),
    }
    head = {"rayStartParams": {"num-cpus": "0"}, "template": _pods(training, of_head, HEAD, group)}
    return {"headGroupSpec": head, "workerGroupSpecs": [workers]}


def _pods(training: RemoteTraining, placement: Placement, name: str, group: Group) -> dict[str, Any]:
    """Ray's own command starts them; what trains on them inherits their variables."""
    template = pod_template(training, placement, name)
    [container] = template["spec"]["containers"]
    del container["command"]
    container["env"].append({"name": VARIABLE, "value": group.text})
    return template


def _submitter(training: RemoteTraining, placement: Placement) -> dict[str, Any]:
    """It asks the head and knows nothing of the training but whom it belongs to."""
    settings = replace(placement, cpu=SUBMITTER_CPU, memory=SUBMITTER_MEMORY, gpus=0, volumes={})
    template = pod_template(training, settings, SUBMITTER)
    [container] = template["spec"]["containers"]
    del container["command"]
    container["env"] = [one for one in container["env"] if not one["name"].startswith("SEAWAY_")]
    template["spec"]["restartPolicy"] = "Never"
    return template


def rules(manifest: Manifest) -> Iterator[Problem]:
    """What KubeRay 1.5 takes and then calls `ValidationFailed`, beside its CRD's rules."""
    name, spec = (manifest.get("metadata") or {}).get("name", ""), manifest.get("spec") or {}
    if name and (len(name) > LONGEST_NAME or not NAME.fullmatch(name)):
        yield Problem("metadata.name", f'Invalid value: "{name}": should be a DNS-1035 label of {LONGEST_NAME} '
                      "characters at most")  # fmt: skip
    if spec.get("submissionMode") not in (None, *MODES):
        says = f'Unsupported value: "{spec["submissionMode"]}": supported values: {", ".join(MODES)}'
        yield Problem("spec.submissionMode", says)
    yield from _of_end(spec)
    yield from _of_cluster(spec)


def _of_end(spec: Manifest) -> Iterator[Problem]:
    shut = bool(spec.get("shutdownAfterJobFinishes"))
    if spec.get("suspend") and not shut:
        yield Problem("spec.suspend", "Forbidden: needs shutdownAfterJobFinishes")
    if (spec.get("ttlSecondsAfterFinished") or 0) > 0 and not shut:
        yield Problem("spec.ttlSecondsAfterFinished", "Forbidden: needs shutdownAfterJobFinishes")
    for field, least in (("ttlSecondsAfterFinished", 0), ("activeDeadlineSeconds", 1), ("backoffLimit", 0)):
        if spec.get(field) is not None and spec[field] < least:
            yield Problem(f"spec.{field}", f"Invalid value: {spec[field]}: should be {least} or more")


def _of_cluster(spec: Manifest) -> Iterator[Problem]:
    if not spec.get("rayClusterSpec") and not spec.get("clusterSelector"):
        yield Problem("spec.rayClusterSpec", "Required value: a RayJob makes a cluster, or names one by "
                      "clusterSelector")  # fmt: skip
    for path, template in templates(spec):
        if not (template.get("spec") or {}).get("containers"):
            yield Problem(f"{path}.spec.containers", "Required value: must have at least one container")
    cluster = spec.get("rayClusterSpec") or {}
    for group in (cluster.get("headGroupSpec") or {}, *(cluster.get("workerGroupSpecs") or ())):
        said = [name for name in STARTED_BY_RAY if (group.get("rayStartParams") or {}).get(name)]
        if said and group.get("resources"):
            yield Problem("spec.rayClusterSpec", f"Forbidden: resources and rayStartParams ({', '.join(said)}) of one "
                          "group")  # fmt: skip


def preflight(manifest: Manifest) -> None:
    """Refuse what the API server or KubeRay would. Raises: InvalidSpec: with the fields' paths."""
    require_valid(manifest, RESOURCE, (rules,))


def outcome(job: Manifest) -> Outcome | None:
    """A job that was stopped is `Complete` too: what Ray says of it decides."""
    status = _status(job)
    ended, said = status.get("jobDeploymentStatus", ""), status.get("jobStatus", "")
    if ended not in ENDED:
        return None
    reason, message = status.get("reason") or said or ended, status.get("message", "")
    well = ended == "Complete" and said == "SUCCEEDED"
    return Outcome(State.SUCCEEDED if well else State.FAILED, reason, message, dict(job))


def progress(job: Manifest) -> Iterator[str]:
    """Its cluster, and what becomes of the job on it."""
    status = _status(job)
    where = f" on RayCluster {status['rayClusterName']}" if status.get("rayClusterName") else ""
    if ended := status.get("jobDeploymentStatus"):
        said = f", Ray says {status['jobStatus']}" if status.get("jobStatus") else ""
        yield f"RayJob {job['metadata']['name']} is {ended}{where}{said}."
    if failed := status.get("failed"):
        yield f"RayJob {job['metadata']['name']} has failed {failed} times; placement.restarts says how often it may."


def parts(job: Manifest) -> tuple[str, ...]:
    """Its RayCluster, whose events say why it has no pods."""
    name = _status(job).get("rayClusterName")
    return (name,) if name else ()


def _status(job: Manifest) -> Mapping[str, Any]:
    return job.get("status") or {}


KIND = Kind(
    resource=RESOURCE,
    controller="the KubeRay operator",
    outcome=outcome,
    pod_label=JOB,
    preflight=preflight,
    suffix=LONGEST - LONGEST_NAME,
    progress=progress,
    parts=parts,
)
