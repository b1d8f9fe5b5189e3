"""Kueue: the label that puts a job into a queue, why the job waits there, and at which place.

Kueue holds a job by its `suspend` field and writes what it thinks of it into a Workload, which it finds by the job's
uid. A job that has to give way is suspended again: its pods go, and come back when it is admitted anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seaway.errors import Forbidden, KindMissing, ObjectDeleted, ServerGone
from seaway.platforms.kubernetes.client.informer import Selector
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.client.served import serves
from seaway.platforms.kubernetes.jobs.kind import condition

QUEUE, PRIORITY, JOB_UID = (f"kueue.x-k8s.io/{name}" for name in ("queue-name", "priority-class", "job-uid"))
WORKLOADS = tuple(Resource("kueue.x-k8s.io", version, "workloads", "Workload") for version in ("v1beta2", "v1beta1"))
PLACES = tuple(
    Resource("visibility.kueue.x-k8s.io", one.version, "localqueues/pendingworkloads", "Places of LocalQueue")
    for one in WORKLOADS
)
PERMISSIONS = (
    Permission(WORKLOADS[0], ("list", "watch"), "queueing: why Kueue lets a job wait"),
    Permission(PLACES[0], ("get",), "queueing: at which place of its queue a job waits"),
)
NOT_TOLD = (Forbidden, KindMissing, ObjectDeleted, ServerGone)


def queued(manifest: Manifest, queue: str, priority: str = "") -> dict[str, Any]:
    """`manifest` in a LocalQueue of its namespace, by a WorkloadPriorityClass; as it is where no queue is named."""
    wanted = {QUEUE: queue, **({PRIORITY: priority} if priority else {})} if queue else {}
    metadata = manifest.get("metadata", {})
    labels = {**metadata.get("labels", {}), **wanted}
    return {**manifest, "metadata": {**metadata, "labels": labels}} if labels else dict(manifest)


def queue_of(job: Manifest) -> str:
    """The LocalQueue of a job; empty where it is in none."""
    return str(job["metadata"].get("labels", {}).get(QUEUE, ""))


def require_kueue(objects: Objects, job: Manifest) -> None:
    """Raises: KindMissing: a job names a queue, and the cluster has no Kueue; nothing would ever let it start."""
    if queue_of(job):
        workloads(objects)


def workloads(objects: Objects) -> Resource:
    """Workloads in the version that the cluster serves. Raises: KindMissing: it serves none."""
    found = next((one for one in WORKLOADS if serves(objects, one)), None)
    if found is None:
        raise KindMissing(
            f"A queue is named, and the cluster does not serve {WORKLOADS[0].full_name}: Kueue is not installed. "
            "Install it (docs/clusters.md), or leave local_queue out of the placement."
        )
    return found


def workload_of(objects: Objects, job: Manifest) -> tuple[Selector, str]:
    """What to watch for the Workload of a job, and its key there. Raises: as `workloads`."""
    uid = job["metadata"]["uid"]
    return Selector(workloads(objects), f"{JOB_UID}={uid}", ("metadata", "labels", JOB_UID)), uid


def reason(workload: Manifest) -> str:
    """Why Kueue lets it wait, in its own words; empty where it does not say."""
    if evicted := condition(workload, "Evicted"):
        return f"{evicted.get('reason')}: {evicted.get('message')}"
    for entry in workload.get("status", {}).get("conditions") or ():
        if entry["type"] == "QuotaReserved" and entry["status"] != "True":
            return f"{entry.get('reason')}: {entry.get('message')}"
    return ""


def place(objects: Objects, queue: str, workload: Manifest) -> str:
    """`place 2 of 5`, as far as Kueue's visibility API tells this account; empty where it does not."""
    waiting = _pending(Objects(replace(objects.connection, outage_s=0.0)), queue)
    for one in waiting:
        if one["metadata"]["name"] == workload["metadata"]["name"]:
            return f"place {one['positionInLocalQueue'] + 1} of {len(waiting)}"
    return ""


def _pending(objects: Objects, queue: str) -> list[Mapping[str, Any]]:
    for resource in PLACES:
        collection, _, part = resource.plural.partition("/")
        try:
            found = objects.get(replace(resource, plural=collection), queue, part)
        except NOT_TOLD:
            continue
        if found is not None:
            return list(found.get("items") or ())
    return []
