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
    name = _own_pod(environment)
    pod = objects.get(PODS, name) if name and not manifest["metadata"].get("ownerReferences") else None
    if pod is None:
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [_owner(pod)]}}


def _own_pod(environment: Mapping[str, str]) -> str:
    """The name of the pod that this process runs in, empty elsewhere: a laptop has a HOSTNAME too."""
    if not {"KFP_POD_NAME", "KUBERNETES_SERVICE_HOST"} & set(environment):
        return ""
    return next((environment[key] for key in POD_NAMES if environment.get(key)), "")


def _owner(pod: Manifest) -> dict[str, Any]:
    found = next((owner for owner in pod["metadata"].get("ownerReferences", ()) if owner.get("controller")), None)
    owner = found or {"apiVersion": "v1", "kind": "Pod", **pod["metadata"]}
    return {key: owner[key] for key in ("apiVersion", "kind", "name", "uid")}
