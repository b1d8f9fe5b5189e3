"""Who owns what a step creates: the workflow of its run, or else the step's own pod, so that none outlives the run."""

import os
from collections.abc import Mapping
from typing import Any

from seaway.platforms.kubernetes.objects import Objects
from seaway.platforms.kubernetes.resources import PODS, Manifest

POD_NAMES = ("KFP_POD_NAME", "HOSTNAME")  # Kubeflow Pipelines sets the first, the kubelet the second


def owned(objects: Objects, manifest: Manifest, environment: Mapping[str, str] = os.environ) -> Manifest:
    """`manifest` with the run as its owner, where this process is a step in a pod of the same namespace.

    A pod that a workflow started names the workflow; the workflow lives as long as the run, the pod only as long as
    one attempt of the step.
    """
    if manifest["metadata"].get("ownerReferences") or not in_pod(environment):
        return manifest
    name = next((environment[key] for key in POD_NAMES if environment.get(key)), "")
    pod = objects.get(PODS, name) if name else None
    if pod is None:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [_owner(pod)]}}


def in_pod(environment: Mapping[str, str]) -> bool:
    """Whether this process runs in a pod."""
    return "KFP_POD_NAME" in environment or "KUBERNETES_SERVICE_HOST" in environment


def _owner(pod: Manifest) -> dict[str, Any]:
    found = next((owner for owner in pod["metadata"].get("ownerReferences", ()) if owner.get("controller")), None)
    owner = found or {"apiVersion": "v1", "kind": "Pod", **pod["metadata"]}
    return {key: owner[key] for key in ("apiVersion", "kind", "name", "uid")}
