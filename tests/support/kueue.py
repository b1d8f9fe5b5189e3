"""Kueue's controller, played for the Jobs of one namespace: what it writes, when a test says so."""

from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.queueing import JOB_UID, WORKLOADS, queue_of

NOW = "2026-01-01T00:00:00Z"
FULL = "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor default, 1 more needed"
GAVE_WAY = "Preempted to accommodate a workload due to prioritization in the ClusterQueue"


@dataclass
class Kueue:
    """Holds each Job that names a queue, until `admit`."""

    connection: Connection
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.objects = Objects(self.connection)
        self.batch = client.BatchV1Api(self.connection.requests)

    def take_up(self) -> None:
        """Give each Job of a queue its Workload, which waits for quota."""
        for job in self.jobs():
            if job["metadata"]["uid"] not in self.seen:
                self.seen.add(job["metadata"]["uid"])
                self.objects.create(WORKLOADS[0], workload(job))
                self.write({"QuotaReserved": ("False", "Pending", FULL)})

    def jobs(self) -> list[dict[str, Any]]:
        return [job for job in self.objects.list(batch_job.KIND.resource).items if queue_of(job)]

    def admit(self) -> None:
        self.write({"QuotaReserved": ("True", "QuotaReserved", ""), "Evicted": ("False", "QuotaReserved", "")})
        self._suspend(held=False)

    def preempt(self) -> None:
        self.write({"QuotaReserved": ("False", "Pending", FULL), "Evicted": ("True", "Preempted", GAVE_WAY)})
        self._suspend(held=True)

    def write(self, said: dict[str, tuple[str, str, str]]) -> None:
        """Conditions of every Workload: status, reason, message."""
        conditions = [
            {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": NOW}
            for kind, (status, reason, message) in said.items()
        ]
        for one in self.objects.list(WORKLOADS[0]).items:
            client.CustomObjectsApi(self.connection.requests).patch_namespaced_custom_object_status(
                WORKLOADS[0].group, WORKLOADS[0].version, self.connection.namespace, WORKLOADS[0].plural,
                one["metadata"]["name"], {"status": {"conditions": conditions}},
            )  # fmt: skip

    def _suspend(self, *, held: bool) -> None:
        for job in self.jobs():
            patch = {"spec": {"suspend": held}}
            self.batch.patch_namespaced_job(job["metadata"]["name"], self.connection.namespace, patch)


def workload(job: dict[str, Any]) -> dict[str, Any]:
    """As Kueue makes it of a Job."""
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": True}
    pods = {"name": "main", "count": 1, "template": {"spec": {"containers": [{"name": "main", "image": "x"}]}}}
    return {
        "apiVersion": WORKLOADS[0].api_version,
        "kind": WORKLOADS[0].kind,
        "metadata": {"name": f"job-{name}", "labels": {JOB_UID: uid}, "ownerReferences": [owner]},
        "spec": {"queueName": queue_of(job), "podSets": [pods]},
    }
