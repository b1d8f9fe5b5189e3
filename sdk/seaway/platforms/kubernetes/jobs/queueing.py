"""Kueue: the label that puts a job into a queue, why the job waits there, and at which place.

Kueue holds a job by its `suspend` field and writes what it thinks of it into a Workload, which it finds by the job's
uid. A job that has to give way is suspended again: its pods go, and come back when it is admitted anew.
"""

from dataclasses import replace
from typing import Any

from seaway.errors import Forbidden, InvalidSpec, KindMissing, ObjectDeleted, SeawayError, ServerGone
from seaway.platforms.kubernetes.client.informer import Selector
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.client.served import serves
from seaway.platforms.kubernetes.jobs.kind import Kind, condition

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
UNPLACED = (
    "This cluster's {kind}s have no spec.{field}, into which Kueue up to 0.15 writes what the queue's flavor asks of "
    "pods: node labels and tolerations are dropped, and the pods may go to any node. Give them as node_selector and "
    "tolerations of the placement, or take backend 'pytorchjob' (docs/clusters.md)."
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
    """`place 2 of 5`: by Kueue's visibility API, or counted where this account hears nothing of it; else empty."""
    asked = Objects(replace(objects.connection, outage_s=0.0))
    told = _told(asked, queue)
    waiting = _counted(asked, queue) if told is None else told
    name = workload["metadata"]["name"]
    return f"place {waiting.index(name) + 1} of {len(waiting)}" if name in waiting else ""


def _told(objects: Objects, queue: str) -> list[str] | None:
    """Names of Workloads in the queue's order; None where there is no such API, or not for this account."""
    for resource in PLACES:
        collection, _, part = resource.plural.partition("/")
        try:
            found = objects.get(replace(resource, plural=collection), queue, part)
        except NOT_TOLD:
            continue
        if found is not None:
            items = sorted(found.get("items") or (), key=lambda one: one["positionInLocalQueue"])
            return [one["metadata"]["name"] for one in items]
    return None


def _counted(objects: Objects, queue: str) -> list[str]:
    """The same by the Workloads themselves, in the order in which Kueue takes them: by priority, then by age."""
    try:
        every = objects.list(workloads(objects)).items
    except NOT_TOLD:
        return []
    waiting = [one for one in every if one["spec"].get("queueName") == queue and _is_pending(one)]
    return [one["metadata"]["name"] for one in sorted(waiting, key=_turn)]


def _is_pending(workload: Manifest) -> bool:
    over = any(condition(workload, kind) for kind in ("QuotaReserved", "Finished"))
    return not over and workload["spec"].get("active", True) is not False


def _turn(workload: Manifest) -> tuple[int, str, str]:
    metadata = workload["metadata"]
    return -(workload["spec"].get("priority") or 0), metadata["creationTimestamp"], metadata["name"]


def unplaced(objects: Objects, kind: Kind, job: Manifest) -> str:
    """What is lost of a queue's flavors where the kind's objects lack the field that Kueue writes them into."""
    if not kind.overrides or not queue_of(job):
        return ""
    wanted = {**job, "spec": {**job["spec"], kind.overrides: []}}
    try:
        objects.create(kind.resource, wanted, dry_run=True)
    except InvalidSpec as refused:
        return UNPLACED.format(kind=kind.resource.kind, field=kind.overrides) if kind.overrides in str(refused) else ""
    except SeawayError:  # which the launch itself meets, and tells
        return ""
    return ""
