"""Runs of a pipeline by the clock: a CronJob that submits, since Kubeflow's controller runs only what its API has made.

A ScheduledWorkflow that is applied never runs, and a recurring run that a job makes through the API outlives its
manifest. A CronJob is changed and removed as git says. It waits for the run, so that one run goes on at a time and a
failed run is a failed Job.
"""

from collections.abc import Mapping
from typing import Any

from seaway.version import RUNTIME

ACCOUNT = "seaway-submit"
LABELS = {"app.kubernetes.io/name": "seaway", "app.kubernetes.io/component": "schedules"}
AUDIENCE = "pipelines.kubeflow.org"  # of the token that Kubeflow Pipelines takes
TOKEN_VARIABLE, TOKEN_FOLDER = "KF_PIPELINES_SA_TOKEN_PATH", "/var/run/secrets/pipelines"  # no secrets
TOKEN_S = 3600
SETTINGS, ENDPOINT = "seaway-settings", "KF_PIPELINES_ENDPOINT"
LATE_S = 3600  # a run that could not start on time is left out after this
# What `seaway submit` asks for where there are profiles: Kubeflow asks the API server whether the account may.
VERBS = {
    "pipelines": ["create", "get", "list"],
    "experiments": ["create", "get", "list"],
    "runs": ["create", "get", "list"],
}


def cron_job(name: str, pipeline: str, cron: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Submits the pipeline, as the image has it, and waits for its run.

    Args:
        cron: five fields, UTC.
    """
    given = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
    command = ["seaway", "submit", pipeline, *given, "--namespace", "$(NAMESPACE)", "--wait"]
    job = {"backoffLimit": 0, "template": {"metadata": {"labels": dict(LABELS)}, "spec": _pod(command)}}
    spec = {
        "schedule": cron,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": LATE_S,
        "jobTemplate": {"spec": job},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": dict(LABELS)},
        "spec": spec,
    }


def access() -> list[dict[str, Any]]:
    """Who submits, and what Kubeflow Pipelines lets that account do in the namespace."""
    rules = [{"apiGroups": [AUDIENCE], "resources": [kind], "verbs": verbs} for kind, verbs in VERBS.items()]
    rbac = "rbac.authorization.k8s.io"
    reference = {"apiGroup": rbac, "kind": "Role", "name": ACCOUNT}
    return [
        _head("v1", "ServiceAccount"),
        {**_head(f"{rbac}/v1", "Role"), "rules": rules},
        {
            **_head(f"{rbac}/v1", "RoleBinding"),
            "roleRef": reference,
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT}],
        },
    ]


def _pod(command: list[str]) -> dict[str, Any]:
    token = {"serviceAccountToken": {"path": "token", "audience": AUDIENCE, "expirationSeconds": TOKEN_S}}
    container = {
        "name": "submit",
        "image": RUNTIME,
        "command": command,
        "env": [
            {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": ENDPOINT, "valueFrom": {"configMapKeyRef": {"name": SETTINGS, "key": ENDPOINT}}},
            {"name": TOKEN_VARIABLE, "value": f"{TOKEN_FOLDER}/token"},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108  # a volume of the pod
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "token", "mountPath": TOKEN_FOLDER, "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  # a volume of the pod
        ],
    }
    return {
        "serviceAccountName": ACCOUNT,
        "automountServiceAccountToken": False,
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "token", "projected": {"sources": [token]}}, {"name": "scratch", "emptyDir": {}}],
    }


def _head(api_version: str, kind: str, name: str = ACCOUNT) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "labels": dict(LABELS)}}
