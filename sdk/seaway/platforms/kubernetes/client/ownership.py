"""Which run a step belongs to, and who owns what it creates: that run's workflow, or else the step's own pod."""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.connection import connect
from seaway.platforms.kubernetes.client.naming import ENDPOINT, MANAGED_BY
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import PODS, Manifest, Resource

POD_NAMES = ("KFP_POD_NAME", "HOSTNAME")  # Kubeflow Pipelines sets the first, the kubelet the second
RUN_LABEL = "pipeline/runid"  # Kubeflow Pipelines sets it on each pod of a run; its API server finds pods by it
NODE = "workflows.argoproj.io/node-name"  # Argo says on each pod which node of the workflow it is
ATTEMPT = re.compile(r"\((\d+)\)")  # in a node's name, where a step may be tried again
STEP_NODE = "seaway.dev/step-node"  # annotation of what a step makes: the node of that step, whichever attempt
REFERENCE = ("apiVersion", "kind", "name", "uid")
RUNS = ("Workflow", "Job")  # kinds that are made anew for each run; other owners, as a notebook's, see many


def with_owner(objects: Objects, manifest: Manifest, environment: Mapping[str, str] = os.environ) -> Manifest:
    """`manifest` with the run as its owner and its step named, where this process is in a pod of the same namespace.

    A pod that a workflow started names the workflow; the workflow lives as long as the run, the pod only as long as
    one attempt of the step.
    """
    name = _own_pod(environment)
    pod = objects.get(PODS, name) if name and not manifest["metadata"].get("ownerReferences") else None
    if pod is None:
        return manifest
    metadata, step = manifest["metadata"], node(pod)
    named = {"annotations": {**metadata.get("annotations", {}), STEP_NODE: step}} if step else {}
    return {**manifest, "metadata": {**metadata, **named, "ownerReferences": [_owner(pod)]}}


def node(pod: Manifest) -> str:
    """The step that a pod is an attempt of, as Argo names it in the workflow; empty where it is of none."""
    return ATTEMPT.sub("", str(pod["metadata"].get("annotations", {}).get(NODE, "")))


class PodRun:
    """A step's pod knows its run."""

    permissions = (Permission(PODS, ("get",), "ownership: the run of the step's own pod"),)

    def run_id(self) -> str:
        """See `run_id`. Raises: InvalidSpec, Forbidden, ServerGone."""
        return run_id()


def run_id(environment: Mapping[str, str] = os.environ) -> str:
    """The run that this pod is a step of: Kubeflow's id of it, or the name of the workflow or job that owns the pod.

    Raises:
        InvalidSpec: it belongs to none.
        Forbidden, ServerGone: the API server does not show the pod.
    """
    name = _own_pod(environment)
    pod = Objects(connect()).get(PODS, name) if name else None
    metadata = pod["metadata"] if pod else {}
    owner = next((one["name"] for one in metadata.get("ownerReferences", ()) if one["kind"] in RUNS), None)
    run = metadata.get("labels", {}).get(RUN_LABEL) or owner
    if run is None:
        raise InvalidSpec(
            f"Which run is this? Pod {name or '(without a name)'} has neither label {RUN_LABEL} nor an owner that is a "
            f"{' or '.join(RUNS)}. Set SEAWAY_RUN_ID to a name that each run has for itself: runs of one name adopt "
            "each other's jobs."
        )
    return str(run)


def _own_pod(environment: Mapping[str, str]) -> str:
    """The name of the pod that this process runs in, empty elsewhere: a laptop has a HOSTNAME too."""
    if not {"KFP_POD_NAME", "KUBERNETES_SERVICE_HOST"} & set(environment):
        return ""
    return next((environment[key] for key in POD_NAMES if environment.get(key)), "")


def _owner(pod: Manifest) -> dict[str, Any]:
    found = next((owner for owner in pod["metadata"].get("ownerReferences", ()) if owner.get("controller")), None)
    return {key: found[key] for key in REFERENCE} if found else owner_reference(PODS, pod)


def owner_reference(resource: Resource, found: Manifest) -> dict[str, Any]:
    """The reference by which an object ends with `found`."""
    known = {"apiVersion": resource.api_version, "kind": resource.kind, **found["metadata"]}
    return {key: known[key] for key in REFERENCE}


def is_ours(found: Manifest, labels: Mapping[str, str], annotations: Mapping[str, str] = MappingProxyType({})) -> bool:
    """Whether an object carries the marks that we give such a one."""
    metadata = found["metadata"]
    given = (metadata.get("labels", {}).items(), metadata.get("annotations", {}).items())
    return bool(labels.items() <= given[0] and annotations.items() <= given[1])


def is_of_endpoint(found: Manifest, name: str) -> bool:
    """Whether an object is that endpoint's."""
    return is_ours(found, {MANAGED_BY: "seaway", ENDPOINT: name})
