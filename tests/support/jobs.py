"""Jobs of each kind that pass Pod Security `restricted`."""

from datetime import UTC, datetime
from typing import Any

from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.kind import Kind
from seaway.platforms.kubernetes.training import pytorchjob, rayjob, trainjob
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.training.pod.job import RemoteTraining

RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
NOBODY = {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}}
KINDS = {kind.resource: kind for kind in (batch_job.KIND, pytorchjob.KIND, trainjob.KIND, rayjob.KIND)}
SMALL = {"cpu": "10m", "memory": "64Mi", "shared_memory": "16Mi"}


def manifest(
    image: str,
    script: str,
    *,
    run: str = "run-1",
    container: Any = None,
    pod: Any = None,
    **spec: Any,
) -> dict[str, Any]:
    """A stamped batch/v1 Job of one pod that runs `script`."""
    main = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "securityContext": RESTRICTED,
        **(container or {}),
    }
    template = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 1,
        "securityContext": NOBODY,
        "containers": [main],
        **(pod or {}),
    }
    body = {"backoffLimit": 0, "completions": 1, **spec, "template": {"spec": template}}
    return stamp({"apiVersion": "batch/v1", "kind": "Job", "spec": body}, Step(run, "step"), batch_job.KIND.suffix)


def of_kind(kind: Kind, image: str, script: str) -> dict[str, Any]:
    """A job of `kind` that runs `script` in one pod."""
    if kind is batch_job.KIND:
        return manifest(image, script)
    if kind is pytorchjob.KIND:
        return pytorch_job(image, script)
    if kind is rayjob.KIND:
        return ray_job(image)
    of_training = trainjob.build(training(), Placement(image, **SMALL))
    of_training["spec"]["trainer"]["command"] = ["sh", "-c", script]
    return stamp(of_training, Step("run-1", "step"), kind.suffix)


def pytorch_job(image: str, script: str, container: str = pytorchjob.CONTAINER) -> dict[str, Any]:
    """A PyTorchJob of a master only; the operator looks for its container by name."""
    pod = manifest(image, script)["spec"]["template"]["spec"]
    pod["containers"][0]["name"] = container
    template = {"spec": {key: pod[key] for key in ("containers", "securityContext")}}
    spec = {"pytorchReplicaSpecs": {"Master": {"replicas": 1, "restartPolicy": "Never", "template": template}}}
    body = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "spec": spec}
    return stamp(body, Step("run-1", "step"), pytorchjob.KIND.suffix)


def ray_job(image: str, run: str = "run-1") -> dict[str, Any]:
    """A RayJob of one worker; what it runs is Seaway's driver, whatever is asked for."""
    of_training = rayjob.build(training(), Placement(image, **SMALL))
    return rayjob.labelled(stamp(of_training, Step(run, "step"), rayjob.KIND.suffix))


def runtime(image: str) -> dict[str, Any]:
    """What a TrainJob refers to."""
    return trainjob.build_runtime(training(), Placement(image, **SMALL))


def training() -> RemoteTraining:
    uri = "s3://seaway/run"
    return RemoteTraining(f"{uri}/train", f"{uri}/validation", f"{uri}/model", f"{uri}/checkpoints", {"run": "0"}, "x")


def complete(connection: Connection, name: str) -> None:
    """End a job as its controller would, where none takes it up."""
    _end(connection, name, "SuccessCriteriaMet", "Complete")


def fail(connection: Connection, name: str) -> None:
    """As `complete`, for a job that has failed."""
    _end(connection, name, "FailureTarget", "Failed")


def _end(connection: Connection, name: str, *kinds: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    said = {"status": "True", "lastTransitionTime": now, "lastProbeTime": now, "reason": "Test", "message": ""}
    status: dict[str, Any] = {"startTime": now, "conditions": [{"type": kind, **said} for kind in kinds]}
    if "Complete" in kinds:
        status["completionTime"] = now
    client.BatchV1Api(connection.requests).patch_namespaced_job_status(name, connection.namespace, {"status": status})
