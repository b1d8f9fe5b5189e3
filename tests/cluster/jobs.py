"""Jobs that pass Pod Security `restricted`."""

from datetime import UTC, datetime
from typing import Any

from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.jobs import batch_job

RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
NOBODY = {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}}


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


def complete(connection: Connection, name: str) -> None:
    """End a job as its controller would, for one whose `managedBy` names a controller that is not there."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    conditions = [
        {
            "type": kind,
            "status": "True",
            "lastTransitionTime": now,
            "lastProbeTime": now,
            "reason": "Test",
            "message": "",
        }
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    status = {"startTime": now, "completionTime": now, "conditions": conditions}
    client.BatchV1Api(connection.requests).patch_namespaced_job_status(name, connection.namespace, {"status": status})
